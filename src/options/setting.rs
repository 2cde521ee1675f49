//! A setting consists of the name of an option and a function that stores the option's value.

/// A setting whose value is stored in a `T`, which may borrow the value.
pub(crate) struct Setting<'a, T> {
    pub(crate) name: &'static str,
    pub(crate) form: Form<'a, T>,
}

/// The form of a setting's value, and the function that stores it.
pub(crate) enum Form<'a, T> {
    /// Any text.
    Text(fn(&mut T, &'a str)),
    /// Decimal digits. 0 selects the default, for which the function receives None.
    Number(fn(&mut T, Option<u64>)),
    /// `true` or `false`.
    Flag(fn(&mut T, bool)),
    /// One of these words.
    Choice(&'a [Choice<'a, T>]),
}

/// A word, and the function that stores the corresponding value.
type Choice<'a, T> = (&'a str, fn(&mut T));

impl<'a, T> Setting<'a, T> {
    pub(crate) const fn new(name: &'static str, form: Form<'a, T>) -> Self {
        Self { name, form }
    }

    /// Stores `value` in `target`. The error describes the problem without quoting the value.
    pub(crate) fn set(&self, target: &mut T, value: &'a str) -> Result<(), String> {
        match &self.form {
            Form::Text(set) => set(target, value),
            Form::Number(set) => {
                let number = number(value).ok_or("must consist of decimal digits")?;
                set(target, (number != 0).then_some(number));
            }
            Form::Flag(set) => match value {
                "true" => set(target, true),
                "false" => set(target, false),
                _ => return Err("must be true or false".to_owned()),
            },
            Form::Choice(choices) => match choices.iter().find(|(word, _)| *word == value) {
                Some((_, choose)) => choose(target),
                None => {
                    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                    return Err(format!("must be one of {}", words.join(", ")));
                }
            },
        }
        Ok(())
    }
}

/// Parses decimal digits. Returns None for any other text. On overflow, returns the largest `u64`, which is out of
/// range for every setting.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let append = |number: u64, byte: u8| number.saturating_mul(10).saturating_add(u64::from(byte & 0x0f));
    is_number.then(|| text.bytes().fold(0, append))
}

/// Converts a number for a 32-bit option. On overflow, returns the largest `u32`, which is out of range for every
/// option.
pub(crate) fn count(number: Option<u64>) -> Option<u32> {
    number.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
