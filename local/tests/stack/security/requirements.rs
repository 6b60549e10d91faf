//! The requirements of OWASP ASVS 5.0.0 that `docs/security.md` has to answer, with their levels.

/// Chapters 2.3, 2.4, 6.1 to 6.6, 7.4.3, 11.2 to 11.5, 13.3 and 16.2 to 16.5, level by level of each
/// section's requirements in their order.
const SECTIONS: [(&str, &[u8]); 17] = [
    ("2.3", &[1, 2, 2, 2, 3]),
    ("2.4", &[2, 3]),
    ("6.1", &[1, 2, 2]),
    ("6.2", &[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]),
    ("6.3", &[1, 1, 2, 2, 3, 3, 3, 3]),
    ("6.4", &[1, 1, 2, 2, 3, 3]),
    ("6.5", &[2, 2, 2, 2, 2, 3, 3, 3]),
    ("6.6", &[2, 2, 2, 3]),
    ("11.2", &[2, 2, 2, 3, 3]),
    ("11.3", &[1, 1, 2, 3, 3]),
    ("11.4", &[1, 2, 2, 2]),
    ("11.5", &[2, 3]),
    ("13.3", &[2, 2, 3, 3]),
    ("16.2", &[2, 2, 2, 2, 2]),
    ("16.3", &[2, 2, 2, 2]),
    ("16.4", &[2, 2, 2]),
    ("16.5", &[2, 2, 2, 3]),
];

/// Every requirement, as `6.2.1`, with its level.
pub(crate) fn asvs() -> Vec<(String, u8)> {
    let sections = SECTIONS.iter().flat_map(|(section, levels)| {
        let numbered = levels.iter().zip(1..);
        numbered.map(move |(level, number)| (format!("{section}.{number}"), *level))
    });
    sections.chain([("7.4.3".to_owned(), 2)]).collect()
}
