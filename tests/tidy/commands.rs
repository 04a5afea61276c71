//! The commands in the documents exist: commands, flags, scripts.

use std::process::Command;

use super::{Source, assert_none, documents, is_word, numbered, root, run};

/// The commands in the shell blocks of a document, with their lines; continued lines are joined.
fn commands(document: &Source) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let (mut in_shell, mut continues) = (false, false);
    for (number, line) in numbered(&document.text) {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_shell = !in_shell && ["sh", "bash", "console"].contains(&language.trim());
            continues = false;
        } else if in_shell {
            let text = line.trim_start().trim_start_matches("$ ");
            let (text, goes_on) =
                text.strip_suffix('\\').map_or((text, false), |text| (text, true));
            match commands.last_mut().filter(|_| continues) {
                Some((_, command)) => command.push_str(text),
                None => commands.push((number, text.to_owned())),
            }
            continues = goes_on;
        }
    }
    commands
}

/// Checks a command of a document.
fn check_command(command: &str) -> Result<(), String> {
    let words: Vec<&str> = command.split_whitespace().take_while(|word| *word != "#").collect();
    for words in words.split(|word| ["|", "&&", ";", "||"].contains(word)) {
        let words = words.iter().skip_while(|word| word.contains('=') && !word.starts_with('-'));
        let words: Vec<&str> = words.copied().take_while(|word| !word.starts_with('>')).collect();
        let Some((program, arguments)) = words.split_first() else { continue };
        match program.rsplit('/').next() {
            Some("spillover") => check_spillover(arguments)?,
            Some("cargo") => check_cargo(arguments)?,
            _ if program.starts_with("./") && !root().join(program).exists() => {
                return Err(format!("{program} does not exist"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the subcommand exists, and that its help names each of the flags.
fn check_spillover(arguments: &[&str]) -> Result<(), String> {
    let help_of = |command: &[&str]| {
        let output = run(Command::new(env!("CARGO_BIN_EXE_spillover")).args(command).arg("--help"));
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (_, general) = help_of(&[]);
    let is_command =
        |word: &&&str| general.lines().any(|l| l.trim_start().starts_with(&format!("{word} ")));
    let command: Vec<&str> = arguments.iter().find(is_command).copied().into_iter().collect();
    if command.is_empty() && arguments.iter().any(|argument| !argument.starts_with('-')) {
        return Err(format!("spillover has no command among {arguments:?}"));
    }
    let (mut is_known, mut help) = help_of(&command);
    // A command with commands of its own is followed by one of them.
    let own = help.split_once("Commands:").map(|(_, own)| own.to_owned());
    let is_own = |word: &&&str| {
        let own = own.iter().flat_map(|own| own.lines());
        own.map(str::trim_start).any(|line| line.starts_with(&format!("{word} ")))
    };
    if let Some(word) = arguments.iter().find(is_own) {
        let (of_it, own) = help_of(&[&command[..], &[*word]].concat());
        (is_known, help) = (of_it, own);
    }
    for flag in arguments.iter().filter(|argument| argument.starts_with('-')) {
        let name = flag.split('=').next().expect("a first part");
        let is_named =
            help.split(|letter| !is_word(letter) && letter != '-').any(|word| word == name);
        if !is_known || !is_named {
            return Err(format!("spillover {command:?} has no {name}"));
        }
    }
    Ok(())
}

/// Checks that the subcommand and its target (`--test oracle`) exist.
fn check_cargo(arguments: &[&str]) -> Result<(), String> {
    let Some(command) = arguments.iter().find(|word| !word.starts_with(['+', '-'])) else {
        return Err("cargo without a command".to_owned());
    };
    let known = run(Command::new(env!("CARGO")).arg("--list"));
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    let is_known = known.lines().any(|line| line.split_whitespace().next() == Some(*command));
    if !is_known && *command != "deny" {
        return Err(format!("cargo has no {command}"));
    }
    for pair in arguments.windows(2) {
        let folder = match pair[0] {
            "--test" => "tests",
            "--bench" => "benches",
            _ => continue,
        };
        let is_there =
            |ending: &str| root().join(folder).join(format!("{}{ending}", pair[1])).exists();
        if !is_there(".rs") && !is_there("/main.rs") {
            return Err(format!("there is no {} in {folder}", pair[1]));
        }
    }
    match arguments.split(|word| *word == "--").nth(1) {
        Some(rest) if *command == "run" => check_spillover(rest),
        _ => Ok(()),
    }
}

#[test]
fn the_documents_commands_exist() {
    let (mut n_commands, mut violations) = (0, Vec::new());
    for document in documents() {
        for (number, command) in commands(&document) {
            n_commands += 1;
            if let Err(error) = check_command(&command) {
                violations.push(format!("{}: {error}", document.at(number)));
            }
        }
    }
    assert_none(&violations, "what the documents say to type exists");
    assert!(n_commands >= 20, "only {n_commands} commands found: is the rule for them broken?");
}
