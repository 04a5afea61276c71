//! The tokens of a source file, without comments, texts and characters.

/// Words, `::` and single signs, without comments and texts.
pub fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (letter, next) = (letters[at], letters.get(at + 1).copied());
        if letter == '/' && next == Some('/') {
            at += letters[at..].iter().take_while(|l| **l != '\n').count();
        } else if letter == '"' {
            at = end_of_text(&letters, at);
        } else if letter == '\'' {
            at = end_of_quote(&letters, at);
        } else if letter.is_alphanumeric() || letter == '_' {
            let is_word = |l: &&char| l.is_alphanumeric() || **l == '_';
            let word: String = letters[at..].iter().take_while(is_word).collect();
            at += word.chars().count();
            match letters.get(at) {
                Some('"' | '#') if word == "r" || word == "br" => {
                    at = end_of_raw_text(&letters, at);
                }
                _ => tokens.push(word),
            }
        } else if letter == ':' && next == Some(':') {
            tokens.push("::".into());
            at += 2;
        } else {
            if !letter.is_whitespace() {
                tokens.push(letter.into());
            }
            at += 1;
        }
    }
    tokens
}

/// One past the end of a text that begins with a quotation mark.
fn end_of_text(letters: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// One past the end of a raw text that begins with `#` or a quotation mark.
fn end_of_raw_text(letters: &[char], start: usize) -> usize {
    let n_signs = letters[start..].iter().take_while(|l| **l == '#').count();
    let mut at = start + n_signs + 1;
    while at < letters.len() {
        let signs = letters[at + 1..].iter().take(n_signs);
        if letters[at] == '"' && signs.filter(|l| **l == '#').count() == n_signs {
            break;
        }
        at += 1;
    }
    at + 1 + n_signs
}

/// One past the end of a character literal; for a lifetime, one past its quote.
fn end_of_quote(letters: &[char], start: usize) -> usize {
    match letters.get(start + 1..) {
        Some(['\\', ..]) => {
            let rest = letters[start + 3..].iter().take_while(|l| **l != '\'').count();
            start + 3 + rest + 1
        }
        Some([_, '\'', ..]) => start + 3,
        _ => start + 1,
    }
}
