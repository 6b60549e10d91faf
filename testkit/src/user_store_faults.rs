//! The faults and vetoes of a user store elsewhere, for both the stand-in and the model.

/// How the answer to one question fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The function fails, and has done nothing.
    FunctionError,
    /// Lambda answers with this status, and nothing was done.
    Status(u16),
    /// The answer is this malformed text, and nothing was done.
    Nonsense(&'static str),
    /// The connection breaks before anything was done.
    LostBefore,
    /// The connection breaks after it was done.
    LostAfter,
    /// There is no answer in time, though it was done.
    Hang,
    /// The first answer is lost after it was done. Lambda refuses the next calls.
    LostThenRefused,
    /// Somebody else changes the user's password just before, and then it is answered.
    ChangedBefore,
}

impl StoreFault {
    /// How the answer to question `number` fails, if `times` answers fail from question `from` on.
    #[must_use]
    pub fn at(self, number: usize, from: usize, times: usize) -> Option<Self> {
        let fault = match self {
            Self::LostThenRefused if number == from => Self::LostAfter,
            Self::LostThenRefused => Self::Status(403),
            fault => fault,
        };
        (from..from + times).contains(&number).then_some(fault)
    }
}

/// How the store judges a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Veto {
    /// It takes every password.
    #[default]
    None,
    /// It refuses every password, with these reasons.
    Refused(Vec<&'static str>),
    /// It refuses the user.
    Blocked,
}
