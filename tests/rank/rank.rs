//! Times of two sides, compared by rank.

use std::time::Duration;

/// The times, in seconds.
#[derive(Debug, Default)]
pub(crate) struct Times {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

impl Times {
    pub(crate) fn add(&mut self, is_known: bool, time: Duration) {
        let side = if is_known {
            &mut self.known
        } else {
            &mut self.unknown
        };
        side.push(time.as_secs_f64());
    }

    /// Times of the side that has fewer.
    pub(crate) fn len(&self) -> usize {
        self.known.len().min(self.unknown.len())
    }

    /// The area under the ROC curve: Mann and Whitney's U as a share of all pairs.
    pub(crate) fn auc(&self) -> f64 {
        self.auc_if_known_took(0.0)
    }

    /// The same, if every call of the known side had taken that much longer.
    fn auc_if_known_took(&self, longer: f64) -> f64 {
        let mut unknown = self.unknown.clone();
        unknown.sort_by(f64::total_cmp);
        let wins = self.known.iter().map(|time| {
            let time = time + longer;
            let below = unknown.partition_point(|other| *other < time);
            let not_above = unknown.partition_point(|other| *other <= time);
            count(below) + count(not_above - below) / 2.0
        });
        wins.sum::<f64>() / (count(self.known.len()) * count(unknown.len()))
    }

    /// The least difference, in seconds, that would have lifted the AUC above a bound.
    pub(crate) fn detectable(&self, bound: f64) -> f64 {
        let (mut too_little, mut enough) = (0.0, self.median());
        for _ in 0..30 {
            let middle = f64::midpoint(too_little, enough);
            if self.auc_if_known_took(middle) > bound {
                enough = middle;
            } else {
                too_little = middle;
            }
        }
        enough
    }

    pub(crate) fn median(&self) -> f64 {
        let mut all = [self.known.as_slice(), self.unknown.as_slice()].concat();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).expect("some thousands"))
}
