//! Tells ids that were made elsewhere from the made-up ids of unknown addresses, as a caller could.

use std::collections::HashMap;

use uuid::{Uuid, Variant};

use crate::ids::{UserId, UserIdFormat};

/// Made-up ids are random, so one in a trillion pairs shares its process bytes. Ids of one process share them
/// all. If at most one id in a thousand shares its bytes with another, it is chance.
const BY_CHANCE: usize = 1000;

/// Counts the ids of a directory that show that they were made elsewhere. If `users/resend` answers with such an
/// id, it tells that somebody has the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignIds {
    ids: usize,
    /// `ObjectId`s with a date that no made-up id has.
    dates: usize,
    /// The other `ObjectId`s, and all `ObjectId`s, by the five bytes that name the process that made them.
    processes: HashMap<u64, (usize, usize)>,
    /// UUIDs that are not random ones.
    versions: usize,
}

impl ForeignIds {
    /// Counts an id.
    pub fn count(&mut self, id: &UserId) {
        self.ids += 1;
        let id = id.as_str();
        if let Ok(uuid) = Uuid::try_parse(id) {
            let is_random = uuid.get_version_num() == 4 && uuid.get_variant() == Variant::RFC4122;
            self.versions += usize::from(!is_random);
            return;
        }
        let bytes = |from: usize, to: usize| u64::from_str_radix(id.get(from..to)?, 16).ok();
        if let (Some(date), Some(process)) = (bytes(0, 8), bytes(8, 18)) {
            let is_dated_so = UserIdFormat::dates().contains(&date);
            self.dates += usize::from(!is_dated_so);
            let (others, all) = self.processes.entry(process).or_default();
            *others += usize::from(is_dated_so);
            *all += 1;
        }
    }

    /// A sentence about the ids that can be told from made-up ones, if there are any.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let shared: usize = self
            .processes
            .values()
            .filter(|(_, all)| *all > 1)
            .map(|(others, _)| others)
            .sum();
        let shared = if shared.saturating_mul(BY_CHANCE) > self.ids {
            shared
        } else {
            0
        };
        let told = self.dates + self.versions + shared;
        let by: Vec<_> = [
            (self.dates, "a date before 2018 or after 2023"),
            (shared, "process bytes that several ids share"),
            (self.versions, "another version than 4"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, by)| by)
        .collect();
        (told > 0).then(|| {
            format!(
                "{told} of {} ids can be told from the made-up ids that users/resend answers for unknown \
                 addresses (by {}), so its answer shows who has an account: DirectoryUserId=alias answers \
                 everybody an alias",
                self.ids,
                by.join(", or ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(ids: &[&str], format: UserIdFormat) -> Option<String> {
        let mut found = ForeignIds::default();
        for id in ids {
            found.count(&UserId::parse(id, format).unwrap());
        }
        found.sentence()
    }

    #[test]
    fn ids_that_were_made_here_show_nothing() {
        for format in [UserIdFormat::ObjectId, UserIdFormat::Uuid] {
            let mut found = ForeignIds::default();
            for number in 0..2000_u128 {
                let entropy = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                found.count(&format.id_from(entropy.to_be_bytes()));
            }
            assert_eq!(found.sentence(), None);
        }
    }

    #[test]
    fn an_objectid_shows_by_its_date_or_its_process_that_it_was_made_elsewhere() {
        let told = |ids: &[&str]| sentence(ids, UserIdFormat::ObjectId);
        let first = "5a497a00aaaaaaaaaa000001"; // 2018-01-01, the first second of made-up ids
        let last = "6592007fbbbbbbbbbb000001"; // 2023-12-31, the last
        assert_eq!(told(&[first, last]), None);
        for strange in [
            "5a4979ffcccccccccc000001",
            "65920080cccccccccc000001",
            "000000000000000000000001",
            "ffffffffcccccccccc000001",
        ] {
            let text = told(&[first, strange, last]).unwrap();
            assert!(text.starts_with("1 of 3 ids"), "{strange}: {text}");
            assert!(
                text.contains("(by a date before 2018 or after 2023)"),
                "{text}"
            );
            assert!(text.contains("DirectoryUserId=alias"), "{text}");
        }
        let text = told(&[first, last, "5a497a01aaaaaaaaaa000002"]).unwrap();
        assert!(text.starts_with("2 of 3 ids"), "{text}");
        assert!(
            text.contains("(by process bytes that several ids share)"),
            "{text}"
        );
        let both = told(&[first, "65920080aaaaaaaaaa000002"]).unwrap();
        assert!(both.starts_with("2 of 2 ids"), "{both}");
        assert!(both.contains("2023, or process bytes"), "{both}");
    }

    #[test]
    fn a_pair_among_thousands_is_chance() {
        let mut found = ForeignIds::default();
        for number in 0..2000_u128 {
            let entropy = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            found.count(&UserIdFormat::ObjectId.id_from(entropy.to_be_bytes()));
        }
        let process = |found: &mut ForeignIds, counter: u8| {
            let id = format!("5a497a00abcdefabcd0000{counter:02x}");
            found.count(&UserId::parse(&id, UserIdFormat::ObjectId).unwrap());
        };
        process(&mut found, 1);
        process(&mut found, 2);
        assert_eq!(found.sentence(), None, "2 of 2002");
        process(&mut found, 3);
        assert!(found.sentence().unwrap().starts_with("3 of 2003 ids"));
    }

    #[test]
    fn a_uuid_shows_by_its_version_that_it_was_made_elsewhere() {
        let told = |id| {
            sentence(
                &["0b8c2c3e-0000-4000-8000-000000000000", id],
                UserIdFormat::Uuid,
            )
        };
        assert_eq!(told("0b8c2c3e-0000-4000-bfff-000000000001"), None);
        for strange in [
            "0b8c2c3e-0000-1000-8000-000000000000",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "00000000-0000-0000-0000-000000000000",
            "0b8c2c3e-0000-4000-0000-000000000000",
            "0b8c2c3e-0000-4000-c000-000000000000",
        ] {
            let text = told(strange).unwrap();
            assert!(text.starts_with("1 of 2 ids"), "{strange}: {text}");
            assert!(text.contains("(by another version than 4)"), "{text}");
        }
    }
}
