//! Reads the workspace's sources as tokens: finds all tests and all log lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every test of the workspace, as `target: name`. The target of a unit test is the member's folder.
pub(crate) fn tests(workspace: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (target, root) in roots(workspace) {
        for file in modules(&root) {
            let mut names = Vec::new();
            tests_in(&tokens(&file), &mut names);
            found.extend(names.into_iter().map(|name| format!("{target}: {name}")));
        }
    }
    found
}

/// The root files of all targets that can have tests, each with its name in the page.
fn roots(workspace: &Path) -> Vec<(String, PathBuf)> {
    let mut roots = Vec::new();
    let mut folders = vec![workspace.join("tests")];
    for member in ["admin", "local", "password", "shared"] {
        let folder = workspace.join(member);
        for root in ["src/lib.rs", "src/main.rs"] {
            roots.push((member.to_owned(), folder.join(root)));
        }
        folders.push(folder.join("tests"));
    }
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let target = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let root = if path.is_dir() {
                path.join("main.rs")
            } else {
                path
            };
            roots.push((target, root));
        }
    }
    roots.retain(|(_, root)| root.is_file() && root.extension().is_some_and(|it| it == "rs"));
    roots
}

/// A root file and every module below it. A file that no module declares is not a source.
pub(crate) fn modules(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut next = 0;
    while let Some(file) = found.get(next).cloned() {
        next += 1;
        let stem = file.file_stem().unwrap();
        let folder = file.parent().unwrap();
        let is_its_folders = next == 1 || stem == "mod";
        let below = if is_its_folders {
            folder.to_owned()
        } else {
            folder.join(stem)
        };
        let mut path = None;
        let trees: Vec<TokenTree> = tokens(&file).into_iter().collect();
        for window in trees.windows(3) {
            match window {
                [TokenTree::Punct(hash), TokenTree::Group(attribute), _]
                    if hash.as_char() == '#' =>
                {
                    path = named_path(&attribute.stream()).or(path);
                }
                [
                    TokenTree::Ident(word),
                    TokenTree::Ident(name),
                    TokenTree::Punct(end),
                ] if word == "mod" && end.as_char() == ';' => {
                    let file = match path.take() {
                        Some(path) => folder.join(path),
                        None => [format!("{name}.rs"), format!("{name}/mod.rs")]
                            .map(|file| below.join(file))
                            .into_iter()
                            .find(|file| file.is_file())
                            .unwrap(),
                    };
                    found.push(file);
                }
                [TokenTree::Ident(word), _, TokenTree::Group(_)] if word == "mod" => path = None,
                _ => {}
            }
        }
    }
    found
}

/// `path = "…"` of an attribute.
fn named_path(attribute: &TokenStream) -> Option<String> {
    match attribute.clone().into_iter().collect::<Vec<_>>().as_slice() {
        [TokenTree::Ident(word), _, TokenTree::Literal(path)] if word == "path" => {
            Some(path.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

/// The names of the tests in a token stream: functions with an attribute `#[test]` or `#[….test(…)]` that
/// are not ignored. Tests in the arguments of a macro are found, those in comments and strings are not.
pub(crate) fn tests_in(stream: &TokenStream, names: &mut Vec<String>) {
    let (mut is_test, mut is_ignored, mut after_hash, mut after_fn) = (false, false, false, false);
    for tree in stream.clone() {
        match &tree {
            TokenTree::Group(group) if after_hash && group.delimiter() == Delimiter::Bracket => {
                match attribute(&group.stream()).as_deref() {
                    Some("test") => is_test = true,
                    Some("ignore") => is_ignored = true,
                    _ => {}
                }
            }
            TokenTree::Ident(name) if after_fn => {
                if is_test && !is_ignored {
                    names.push(name.to_string());
                }
                (is_test, is_ignored) = (false, false);
            }
            TokenTree::Group(group) => tests_in(&group.stream(), names),
            _ => {}
        }
        after_hash = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
        after_fn = matches!(&tree, TokenTree::Ident(word) if word == "fn");
    }
}

/// The last word of an attribute's path: `test` of `#[tokio::test(flavor = "…")]`.
fn attribute(stream: &TokenStream) -> Option<String> {
    let mut last = None;
    for tree in stream.clone() {
        match tree {
            TokenTree::Ident(word) => last = Some(word.to_string()),
            TokenTree::Punct(colon) if colon.as_char() == ':' => {}
            _ => break,
        }
    }
    last
}

/// The message of every line that Regain's own code may log: the last text in each call of
/// `tracing::error!` and its like.
pub(crate) fn logged(stream: &TokenStream, messages: &mut BTreeSet<String>) {
    let trees: Vec<TokenTree> = stream.clone().into_iter().collect();
    for (place, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        let is_call = place >= 5
            && matches!(&trees[place - 5], TokenTree::Ident(word) if word == "tracing")
            && matches!(&trees[place - 1], TokenTree::Punct(bang) if bang.as_char() == '!');
        if is_call {
            let message = group.stream().into_iter().filter_map(text).last();
            messages.insert(message.unwrap());
        }
        logged(&group.stream(), messages);
    }
}

/// Every text in the sources that begins with a prefix.
pub(crate) fn texts_from(stream: &TokenStream, start: &str, found: &mut BTreeSet<String>) {
    for tree in stream.clone() {
        if let TokenTree::Group(group) = &tree {
            texts_from(&group.stream(), start, found);
        }
        found.extend(text(tree).filter(|text| text.starts_with(start)));
    }
}

fn text(tree: TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = tree else {
        return None;
    };
    let literal = literal.to_string();
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    Some(text.to_owned())
}

/// A file's tokens.
pub(crate) fn tokens(file: &Path) -> TokenStream {
    let text = fs::read_to_string(file).unwrap();
    TokenStream::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
