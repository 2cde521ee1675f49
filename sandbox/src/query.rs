//! Parses the query of a request.

use percent_encoding::percent_decode_str;

/// A pair `name=value`. A part that cannot be decoded is `None`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
}

/// The parameters of a request, in order.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) pairs: Vec<Pair>,
}

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::default(),
            Some(text) => Self { pairs: text.split('&').map(Pair::parse).collect() },
        }
    }

    /// Returns the first value with this name, if it can be decoded.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.is(name)).and_then(|pair| pair.value.as_deref())
    }

    /// Returns the number of pairs with this name, including those whose value cannot be decoded.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.pairs.iter().filter(|pair| pair.is(name)).count()
    }

    /// Returns all names and values, or `None` if any of them cannot be decoded.
    pub(crate) fn decoded(&self) -> Option<Vec<(&str, &str)>> {
        self.pairs.iter().map(|pair| Some((pair.name.as_deref()?, pair.value.as_deref()?))).collect()
    }
}

impl Pair {
    fn parse(text: &str) -> Self {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Self { name: decode(name), value: decode(value) }
    }

    fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

/// Decodes percent-encoding. Returns `None` for a stray `%`, an unencoded byte outside ASCII, or invalid UTF-8.
///
/// Decodes `+` to a space, as in HTML forms, because several of the service's SDKs encode a space as `+`.
pub(crate) fn decode(text: &str) -> Option<String> {
    if !text.is_ascii() || !text.split('%').skip(1).all(begins_with_hex) {
        return None;
    }
    let with_spaces = text.replace('+', " ");
    percent_decode_str(&with_spaces).decode_utf8().ok().map(|decoded| decoded.into_owned())
}

fn begins_with_hex(text: &str) -> bool {
    let mut bytes = text.bytes();
    let mut hex = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
    hex() && hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::parse(Some("message%2Did=a%20b%C3%A5+c&delivered"));
        assert_eq!(query.get("message-id"), Some("a bå c"));
        assert_eq!(query.get("delivered"), Some(""));
        assert_eq!(query.get("timestamp"), None);
    }

    #[test]
    fn invalid_encodings_decode_to_none() {
        for text in ["%", "%4", "%zz", "a%2", "%ff", "%C3", "å", "%%41"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn a_query_with_an_invalid_part_is_not_decoded() {
        assert!(Query::parse(Some("a=1&b=%ff")).decoded().is_none());
        assert_eq!(Query::parse(Some("a=1&b=%41")).decoded(), Some(vec![("a", "1"), ("b", "A")]));
    }

    #[test]
    fn repeated_names_are_counted_even_if_a_value_is_invalid() {
        let query = Query::parse(Some("a=1&a=%ff&b=2&a"));
        assert_eq!((query.count("a"), query.count("b"), query.count("c")), (3, 1, 0));
    }

    #[test]
    fn an_empty_part_counts_as_a_parameter_but_an_empty_query_has_no_parameters() {
        assert!(Query::parse(None).pairs.is_empty() && Query::parse(Some("")).pairs.is_empty());
        assert_eq!(Query::parse(Some("&")).pairs.len(), 2);
    }
}
