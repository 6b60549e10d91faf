//! Checks that the text of a mail can be read: a contrast of 4.5 to 1 in light and in dark mode (WCAG 2.2, 1.4.3, level AA).
//!
//! Colours are read from `style` attributes, and those of dark mode from the classes of the style sheet.

use std::collections::BTreeMap;

use html5gum::{HtmlString, Token, Tokenizer};

/// The least contrast that text may have.
const LEAST: f64 = 4.5;
/// Elements without an end.
const VOID: [&str; 5] = ["meta", "img", "br", "hr", "link"];
/// Elements whose text is not shown.
const UNSEEN: [&str; 3] = ["style", "title", "script"];

type Rgb = [u8; 3];

/// The colours of an element in one mode.
#[derive(Clone, Copy, Default)]
struct Colors {
    text: Option<Rgb>,
    ground: Option<Rgb>,
}

#[derive(Clone, Copy)]
enum Mode {
    Light,
    Dark,
}

/// An element around what is read.
struct Element {
    name: String,
    is_seen: bool,
    light: Colors,
    dark: Colors,
}

/// The texts of a page that cannot be read, and the links without a colour of their own, which programs paint as they like.
pub(super) fn flaws(html: &str) -> Vec<String> {
    let dark_classes = dark_classes(html);
    let mut flaws = Vec::new();
    let mut around: Vec<Element> = Vec::new();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let name = utf8(&tag.name);
                let attribute = |name: &str| {
                    let value = tag.attributes.get(name.as_bytes());
                    value.map(|it| utf8(it)).unwrap_or_default()
                };
                let style = attribute("style");
                let own = colors(&style);
                if name == "a" && own.text.is_none() {
                    flaws.push("a link of its HTML part has no color".to_owned());
                }
                if VOID.contains(&name.as_str()) {
                    continue;
                }
                let (is_seen, light, dark) = around
                    .last()
                    .map_or((true, Colors::default(), Colors::default()), |it| {
                        (it.is_seen, it.light, it.dark)
                    });
                let light = over(own, light);
                let dark = over(own, dark);
                let classes = attribute("class");
                let dark = classes
                    .split_ascii_whitespace()
                    .filter_map(|class| dark_classes.get(class))
                    .fold(dark, |below, class| over(*class, below));
                around.push(Element {
                    is_seen: is_seen
                        && !UNSEEN.contains(&name.as_str())
                        && !style.contains("display: none"),
                    name,
                    light,
                    dark,
                });
            }
            Token::EndTag(tag) => {
                let name = utf8(&tag.name);
                if let Some(position) = around.iter().rposition(|it| it.name == name) {
                    around.truncate(position);
                }
            }
            Token::String(text) => {
                let text = without_conditions(&utf8(&text));
                if let Some(element) = around.last().filter(|it| it.is_seen)
                    && !text.trim().is_empty()
                {
                    for mode in [Mode::Light, Mode::Dark] {
                        flaws.extend(judge(element, mode, text.trim()));
                    }
                }
            }
            _ => {}
        }
    }
    flaws.dedup();
    flaws
}

fn judge(element: &Element, mode: Mode, text: &str) -> Option<String> {
    let (colors, name) = match mode {
        Mode::Light => (element.light, "light"),
        Mode::Dark => (element.dark, "dark"),
    };
    let start: String = text.chars().take(30).collect();
    match (colors.text, colors.ground) {
        (Some(text), Some(ground)) => {
            let contrast = contrast(text, ground);
            (contrast < LEAST).then(|| {
                format!("\"{start}…\" has a contrast of {contrast:.1} in {name} mode, not {LEAST}")
            })
        }
        _ => Some(format!("\"{start}…\" has no color in {name} mode")),
    }
}

/// A text without what stands around its conditional parts.
fn without_conditions(text: &str) -> String {
    let mut parts = text.split("{{");
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once("}}").unwrap_or((part, ""));
        if !inside.starts_with(['#', '/']) && inside != "else" {
            left.push_str(inside);
        }
        left.push_str(rest);
    }
    left
}

fn utf8(text: &HtmlString) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// One element's colours over those around it.
fn over(own: Colors, below: Colors) -> Colors {
    Colors {
        text: own.text.or(below.text),
        ground: own.ground.or(below.ground),
    }
}

/// The colours of declarations, as `#rrggbb`.
fn colors(declarations: &str) -> Colors {
    let mut found = Colors::default();
    for declaration in declarations.split(';') {
        let (name, value) = declaration.split_once(':').unwrap_or_default();
        let value = value.trim().split(' ').next().unwrap_or_default();
        match name.trim() {
            "color" => found.text = rgb(value),
            "background" | "background-color" => found.ground = rgb(value),
            _ => {}
        }
    }
    found
}

/// The colors that the style sheet gives to classes in dark mode.
fn dark_classes(html: &str) -> BTreeMap<String, Colors> {
    let rules = html
        .split_once("prefers-color-scheme: dark) {")
        .and_then(|(_, rules)| rules.split_once("</style>"));
    let rules = rules.map_or("", |(rules, _)| rules).split('}');
    let rules = rules.filter_map(|rule| rule.split_once('{'));
    rules
        .map(|(class, declarations)| {
            let class = class.trim().trim_start_matches('.').to_owned();
            (class, colors(declarations))
        })
        .collect()
}

fn rgb(color: &str) -> Option<Rgb> {
    let digits = color.strip_prefix('#').filter(|it| it.len() == 6)?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = value.to_be_bytes();
    Some([red, green, blue])
}

/// The contrast of two colours, from 1 to 21 (WCAG 2.2, contrast ratio).
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(color: Rgb) -> f64 {
    let [red, green, blue] = color.map(|value| {
        let part = f64::from(value) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    const DARK: &str = "<style>@media (prefers-color-scheme: dark) { .a { color: #ffffff !important; background: #000000 !important; } }</style>";

    #[test]
    fn a_text_that_cannot_be_read_is_found_in_either_mode() {
        for (html, expected) in [
            (
                "<p class='a' style='color: #000000; background: #ffffff'>x</p>",
                &[][..],
            ),
            (
                "<p class='a' style='color: #999999; background: #ffffff'>grey</p>",
                &["\"grey…\" has a contrast of 2.8 in light mode, not 4.5"],
            ),
            (
                "<div class='a' style='color: #000000; background: #ffffff'><p class='b' style='color: #222222'>x</p></div>",
                &["\"x…\" has a contrast of 1.3 in dark mode, not 4.5"],
            ),
            (
                "<p>x</p>",
                &[
                    "\"x…\" has no color in light mode",
                    "\"x…\" has no color in dark mode",
                ],
            ),
            (
                "<p class='a' style='color: #000000; background: #ffffff'><a href='x'>y</a></p>",
                &["a link of its HTML part has no color"],
            ),
            (
                "{{#if link}}<p class='a' style='color: #000000; background: #ffffff'>x</p>{{else}} {{/if}}",
                &[],
            ),
            (
                "<div style='display: none; color: #ffffff; background: #ffffff'>x</div>",
                &[],
            ),
        ] {
            assert_eq!(flaws(&format!("{DARK}{html}")), expected, "{html}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([0x77; 3], [255; 3]) - 4.478).abs() < 1e-3);
    }
}
