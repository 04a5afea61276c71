//! The imports between files of the crate, from `use` declarations and paths in the code.
//!
//! A re-export is followed to the file that declares the item: an import from a `mod.rs` that
//! re-exports an item is an import of the item's file. A `mod.rs` imports the files of its folder
//! only if it uses them. Comments, texts and test modules do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::tokens;

/// The segments of a path, from the root of the crate.
type Segments = Vec<String>;

/// One file, parsed.
#[derive(Default)]
struct File {
    /// Its path in the repository.
    path: String,
    /// Its module.
    module: Segments,
    tokens: Vec<String>,
    /// Modules declared in it, without test modules.
    children: BTreeSet<String>,
    /// Test modules declared in it.
    tests: BTreeSet<String>,
    uses: Vec<Use>,
}

/// One name from a `use` declaration.
struct Use {
    /// The name in the file; `*` for all names of a module.
    name: String,
    /// The path as written.
    path: Segments,
    /// The module of the declaration.
    module: Segments,
    is_public: bool,
}

/// Files and the files that each imports.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of files, given by path and text.
pub fn imports<'s>(sources: impl IntoIterator<Item = (&'s str, &'s str)>) -> Imports {
    let files: Vec<File> =
        sources.into_iter().map(|(path, text)| File::parsed(path, text)).collect();
    let tests: BTreeSet<Segments> =
        files.iter().flat_map(|file| file.tests.iter().map(|name| file.inside(name))).collect();
    let is_test = |file: &File| (1..=file.module.len()).any(|n| tests.contains(&file.module[..n]));
    let of_module: BTreeMap<&[String], &File> = files
        .iter()
        .filter(|file| !is_test(file))
        .map(|file| (file.module.as_slice(), file))
        .collect();
    let imports = |file: &&File| {
        let found = file.paths(&of_module).into_iter().filter_map(|path| {
            let found = declaring(&path, &of_module)?;
            (found.path != file.path).then(|| found.path.clone())
        });
        (file.path.clone(), found.collect())
    };
    of_module.values().map(imports).collect()
}

/// Files that import each other, directly or through others: each circle once, in order.
pub fn circles(imports: &Imports) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|file| (file, reachable(file, imports))).collect();
    let circle = |file: &&String| -> Option<BTreeSet<String>> {
        let own = &reached[*file];
        let returns = own.iter().filter(|other| reached[**other].contains(*file));
        own.contains(*file).then(|| returns.map(|other| (*other).clone()).collect())
    };
    imports.keys().filter_map(|file| circle(&file)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The files that a file imports, directly or through others.
fn reachable<'i>(file: &String, imports: &'i Imports) -> BTreeSet<&'i String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = imports[file].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(&imports[next]);
        }
    }
    reached
}

/// The file that declares the item of a path; `None` for an item outside the crate.
fn declaring<'f>(path: &[String], files: &BTreeMap<&[String], &'f File>) -> Option<&'f File> {
    const RE_EXPORTS_MAX: usize = 8;
    let mut path = path.to_vec();
    for _ in 0..RE_EXPORTS_MAX {
        let n = (0..=path.len()).rev().find(|&n| files.contains_key(&path[..n]))?;
        let file = files[&path[..n]];
        let Some(name) = path.get(n) else { return Some(file) };
        let Some(next) = file.uses.iter().find(|one| one.name == *name) else { return Some(file) };
        let next = [next.absolute(file, files), path[n + 1..].to_vec()].concat();
        if next.is_empty() || next == path {
            return Some(file);
        }
        path = next;
    }
    panic!("{}: re-exported {RE_EXPORTS_MAX} times", path.join("::"))
}

impl Use {
    /// The path from the root; empty if it leads outside the crate.
    fn absolute(&self, file: &File, files: &BTreeMap<&[String], &File>) -> Segments {
        file.absolute(&self.path, &self.module, files)
    }
}

impl File {
    fn parsed(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.into(), module: module(path), ..Self::default() };
        let (tokens, tests) = without_tests(&tokens(text));
        (file.tokens, file.tests) = (tokens, tests);
        let declares =
            |window: &[String]| (window[0] == "mod" && window[2] == ";").then(|| window[1].clone());
        file.children = file.tokens.windows(3).filter_map(declares).collect();
        let mut uses = Vec::new();
        for (at, module) in file.places() {
            if file.declares_use(at) {
                let is_public = at > 0 && ["pub", ")"].contains(&file.tokens[at - 1].as_str());
                let mut names = Vec::new();
                use_tree(&file.tokens, &mut (at + 1), &[], &mut names);
                uses.extend(names.into_iter().map(|(name, path)| Use {
                    name,
                    path,
                    module: module.clone(),
                    is_public,
                }));
            }
        }
        file.uses = uses;
        file
    }

    /// True if a token begins a `use` declaration; `use<'a>` in a type is not one.
    fn declares_use(&self, at: usize) -> bool {
        self.tokens[at] == "use" && self.tokens.get(at + 1).is_some_and(|token| token != "<")
    }

    fn inside(&self, name: &str) -> Segments {
        [self.module.as_slice(), &[name.to_string()]].concat()
    }

    /// The position of each token, with its module.
    fn places(&self) -> Vec<(usize, Segments)> {
        let (mut depth, mut module) = (0, self.module.clone());
        let (mut opened, mut places) = (Vec::new(), Vec::new());
        for (at, token) in self.tokens.iter().enumerate() {
            match token.as_str() {
                "{" => {
                    if at > 1 && self.tokens[at - 2] == "mod" {
                        module.push(self.tokens[at - 1].clone());
                        opened.push(depth);
                    }
                    depth += 1;
                }
                "}" => {
                    depth -= 1;
                    if opened.last() == Some(&depth) {
                        opened.pop();
                        module.pop();
                    }
                }
                _ => {}
            }
            places.push((at, module.clone()));
        }
        places
    }

    /// A path from the root; empty if it leads outside the crate.
    fn absolute(
        &self,
        path: &[String],
        module: &[String],
        files: &BTreeMap<&[String], &File>,
    ) -> Segments {
        let rest = path.get(1..).unwrap_or_default();
        let parent = |module: &[String]| module[..module.len().saturating_sub(1)].to_vec();
        match path.first().map(String::as_str) {
            Some("crate" | "spillover") => rest.to_vec(),
            Some("self") => [module, rest].concat(),
            Some("super") => {
                let mut base = parent(module);
                let n_more = rest.iter().take_while(|segment| *segment == "super").count();
                (0..n_more).for_each(|_| base = parent(&base));
                [&base, &rest[n_more..]].concat()
            }
            Some(first) if self.children.contains(first) => [self.module.as_slice(), path].concat(),
            Some(first) => {
                let known = self.uses.iter().find(|one| one.name == first && one.path != path);
                let base = known.map(|one| one.absolute(self, files)).unwrap_or_default();
                if base.is_empty() { base } else { [&base, rest].concat() }
            }
            None => Segments::new(),
        }
    }

    /// The file's uses of the crate, as paths from the root.
    fn paths(&self, files: &BTreeMap<&[String], &File>) -> BTreeSet<Segments> {
        let mut paths = BTreeSet::new();
        let declared = self.declarations();
        for one in &self.uses {
            let path = one.absolute(self, files);
            // Paths that begin with an imported module import that module.
            let is_module = one.name != "*" && files.contains_key(path.as_slice());
            let word = |(at, token): (usize, &String)| *token == one.name && !declared[at];
            let is_used = !one.is_public || self.tokens.iter().enumerate().any(word);
            if !is_module && is_used {
                paths.insert(path);
            }
        }
        for (at, module) in self.places() {
            let continues = at > 0 && self.tokens[at - 1] == "::";
            let restricts = at > 1 && self.tokens[at - 1] == "in" && self.tokens[at - 2] == "(";
            if declared[at] || continues || restricts {
                continue;
            }
            let path = path_at(&self.tokens, at);
            if path.len() > 1 {
                paths.insert(self.absolute(&path, &module, files));
            }
        }
        paths.remove(&Segments::new());
        paths
    }

    /// True for each token of a `use` declaration or of `mod read;`.
    fn declarations(&self) -> Vec<bool> {
        let mut inside = false;
        let declared = self.tokens.iter().enumerate().map(|(at, token)| {
            let is_module = self.tokens.get(at + 2).is_some_and(|end| end == ";");
            inside |= self.declares_use(at) || (token == "mod" && is_module);
            let own = inside;
            inside &= token != ";";
            own
        });
        declared.collect()
    }
}

/// The module of a file of `src`.
fn module(path: &str) -> Segments {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let segments: Vec<&str> = inside.split('/').collect();
    let is_folder = ["mod", "lib"].contains(&segments[segments.len() - 1]);
    segments[..segments.len() - usize::from(is_folder)].iter().map(|s| (*s).into()).collect()
}

/// The path that begins at a token: `a::b::c`.
fn path_at(tokens: &[String], at: usize) -> Segments {
    let mut path = Segments::new();
    let mut next = at;
    while tokens.get(next).is_some_and(|token| is_name(token)) {
        path.push(tokens[next].clone());
        if tokens.get(next + 1).is_none_or(|token| token != "::") {
            break;
        }
        next += 2;
    }
    path
}

/// The names and paths of a `use` declaration from a token on.
fn use_tree(
    tokens: &[String],
    at: &mut usize,
    prefix: &[String],
    names: &mut Vec<(String, Segments)>,
) {
    let mut path = prefix.to_vec();
    loop {
        match tokens[*at].as_str() {
            "{" => {
                *at += 1;
                while tokens[*at] != "}" {
                    use_tree(tokens, at, &path, names);
                    *at += usize::from(tokens[*at] == ",");
                }
                *at += 1;
                return;
            }
            "::" => *at += 1,
            "*" => {
                *at += 1;
                names.push(("*".into(), path));
                return;
            }
            "self" if !path.is_empty() => *at += 1,
            "as" => {
                names.push((tokens[*at + 1].clone(), path));
                *at += 2;
                return;
            }
            token if is_name(token) => {
                path.push(token.into());
                *at += 1;
            }
            _ => {
                let name = path.last().expect("a declaration names something").clone();
                names.push((name, path));
                return;
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// The tokens without items under `#[cfg(test)]`, and the names of the modules among these.
fn without_tests(tokens: &[String]) -> (Vec<String>, BTreeSet<String>) {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules) = (Vec::new(), BTreeSet::new());
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().take(TEST.len()).eq(TEST.iter()) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let end = end_of_item(tokens, at + TEST.len());
        let item = &tokens[at..end];
        let module = item.windows(3).find(|window| window[0] == "mod" && window[2] == ";");
        modules.extend(module.map(|window| window[1].clone()));
        at = end;
    }
    (kept, modules)
}

/// One past the last token of an item: `;` or `}` outside of all brackets.
fn end_of_item(tokens: &[String], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && ["}", ";"].contains(&token.as_str()) {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of some files, as lists of their names without `src/`.
    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let files: Vec<(String, &str)> =
            files.iter().map(|(path, text)| (format!("src/{path}"), *text)).collect();
        let imports = imports(files.iter().map(|(path, text)| (path.as_str(), *text)));
        let names = |circle: BTreeSet<String>| -> Vec<String> {
            circle.iter().map(|path| path["src/".len()..].to_string()).collect()
        };
        circles(&imports).into_iter().map(names).collect()
    }

    #[test]
    fn files_that_import_each_other_by_way_of_a_third_are_a_circle() {
        let circle = [
            ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;"),
            ("a.rs", "use crate::b::{self as bees, B};\npub struct A(B);"),
            ("b.rs", "pub struct B;\npub fn b() { super::c::c(); }"),
            ("c.rs", "use super::{a::A, d};\npub fn c() -> Option<A> { d::d(); None }"),
            ("d.rs", "pub fn d() {}"),
        ];
        assert_eq!(found(&circle), [["a.rs", "b.rs", "c.rs"]]);
        let opened = [circle[0], ("a.rs", "pub struct A;"), circle[2], circle[3], circle[4]];
        assert_eq!(found(&opened), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_re_export_leads_to_the_file_that_declares_the_item() {
        let files = [
            ("lib.rs", "pub mod stage;"),
            ("stage/mod.rs", "mod item;\nmod user;\npub use item::Item;\npub use user::User;"),
            ("stage/item.rs", "pub struct Item;"),
            ("stage/user.rs", "use super::Item;\npub struct User(Item);"),
        ];
        assert_eq!(found(&files), Vec::<Vec<String>>::new());
        // The folder's file uses its re-exports, and has what its files use.
        let used = "mod item;\npub use item::Item;\npub const N: u8 = 1;\npub fn f(_: Item) {}";
        let item = "pub struct Item([u8; super::N as usize]);";
        let files = [files[0], ("stage/mod.rs", used), ("stage/item.rs", item)];
        assert_eq!(found(&files), [["stage/item.rs", "stage/mod.rs"]]);
    }

    #[test]
    fn a_glob_and_a_path_from_a_child_module_are_imports() {
        let files = [
            ("lib.rs", "mod stage;"),
            ("stage/mod.rs", "mod part;\npub fn of() -> u8 { part::part() }"),
            ("stage/part.rs", "use super::*;\npub fn part() -> u8 { of() }"),
        ];
        assert_eq!(found(&files), [["stage/mod.rs", "stage/part.rs"]]);
    }

    #[test]
    fn comments_texts_test_modules_and_visibilities_are_no_imports() {
        let a = r##"
            /// See [`crate::b::B`]. 'tis one quote.
            pub(in crate::b) struct A<'a>(&'a str, char);
            const TEXT: [&str; 2] = ["use crate::b::B; \" \\", r#"crate::b::"B" "#];
            const QUOTE: char = '"'; const ESCAPED: char = '\'';
            mod inner { use super::A; }
            impl<'a> A<'a> { fn each(&self) -> impl Iterator<Item = u8> + use<'a> {} }
            #[cfg(test)]
            use crate::b::B;
            #[cfg(test)]
            mod tests { use crate::b::B; }
            "##;
        let b = "use crate::a::A;\npub struct B;\n#[cfg(test)]\nmod tests;";
        let tests = "use super::B;\nuse crate::a::A;";
        let files = [("lib.rs", "mod a;\nmod b;"), ("a.rs", a), ("b.rs", b), ("b/tests.rs", tests)];
        assert_eq!(found(&files), Vec::<Vec<String>>::new());
        // The text after string literals is read again.
        let a = format!("{a}\nfn f() {{ crate::b::B; }}");
        let files = [files[0], ("a.rs", &a), files[2], files[3]];
        assert_eq!(found(&files), [["a.rs", "b.rs"]]);
    }
}
