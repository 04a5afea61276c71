//! The tokens of a formula.

use std::fmt;

use super::names::{continues_name, starts_name};
use super::problem::FormulaProblem;

/// A value, or a problem with the number of characters before it.
pub(super) type Place<T> = Result<T, (FormulaProblem, usize)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Zero,
    One,
    Mark(char),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Zero => f.write_str("0"),
            Self::One => f.write_str("1"),
            Self::Mark(mark) => write!(f, "{mark:?}"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// The tokens of the text, each with the number of characters before it.
pub(super) fn tokens(text: &str) -> Place<Vec<(Token, usize)>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        at += 1;
        match c {
            c if c.is_whitespace() => {}
            '~' | '+' | '-' | ':' | '*' | '^' | '|' => tokens.push((Token::Mark(c), start)),
            '`' => {
                let (name, end) =
                    quoted_name(&chars, at).ok_or((FormulaProblem::OpenQuote, start))?;
                tokens.push((Token::Name(name), start));
                at = end;
            }
            c if starts_name(c) => {
                at += chars[at..].iter().take_while(|&&c| continues_name(c)).count();
                tokens.push((word(chars[start..at].iter().collect(), start)?, start));
            }
            '(' | '[' => return Err(bracketed(c, start, tokens.last())),
            c => return Err((stray(c), start)),
        }
    }
    tokens.push((Token::End, chars.len()));
    Ok(tokens)
}

/// The name whose opening backquote precedes `start`, and the position after its closing backquote.
fn quoted_name(chars: &[char], start: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = start;
    loop {
        let letter = *chars.get(at)?;
        at += 1;
        if letter == '`' {
            if chars.get(at) != Some(&'`') {
                return (!name.is_empty()).then_some((name, at));
            }
            at += 1;
        }
        name.push(letter);
    }
}

fn word(name: String, start: usize) -> Place<Token> {
    match name.as_str() {
        "0" => Ok(Token::Zero),
        "1" => Ok(Token::One),
        "." => Err((FormulaProblem::AllColumns, start)),
        _ => Ok(Token::Name(name)),
    }
}

/// The problem of an opening bracket after a word.
fn bracketed(
    bracket: char,
    start: usize,
    before: Option<&(Token, usize)>,
) -> (FormulaProblem, usize) {
    match (bracket, before) {
        ('(', Some((Token::Name(name), place))) => {
            (FormulaProblem::Function { name: name.clone() }, *place)
        }
        ('[', Some((Token::Name(name), place))) => {
            (FormulaProblem::Slope { name: name.clone() }, *place)
        }
        ('(', _) => (FormulaProblem::Parentheses, start),
        _ => (FormulaProblem::Character(bracket), start),
    }
}

fn stray(c: char) -> FormulaProblem {
    // The full-width forms have the order of ASCII.
    let plain = u32::from(c).checked_sub(0xFF01 - 0x21).and_then(char::from_u32);
    match plain.filter(char::is_ascii_punctuation) {
        Some(plain) => FormulaProblem::FullWidth(c, plain),
        None => FormulaProblem::Character(c),
    }
}
