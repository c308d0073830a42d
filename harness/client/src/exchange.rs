//! Maps whose keys may recur, as the exchange calls have them (xapi-flows.md §5.4).

use crate::Value;

impl Value {
    /// A map of sets of strings.
    pub fn sets_by_key(pairs: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        Self::Struct(pairs.into_iter().map(|(key, set)| (key, Self::texts(set))).collect())
    }

    /// A list of the pairs of such a map, without quirk Q18.
    pub fn pairs_of_sets(pairs: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        let pair = |(key, set)| Self::Array(vec![Self::Text(key), Self::texts(set)]);
        Self::Array(pairs.into_iter().map(pair).collect())
    }

    /// A map of strings.
    pub fn texts_by_key(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::Struct(pairs.into_iter().map(|(key, text)| (key, Self::Text(text))).collect())
    }

    /// The pairs of a map of sets of strings, in order, or those of a list of such pairs (quirk
    /// Q18).
    pub fn as_sets_by_key(&self) -> Option<Vec<(String, Vec<String>)>> {
        let set = |value: &Self| -> Option<Vec<String>> {
            Some(value.as_texts()?.into_iter().map(str::to_owned).collect())
        };
        let pair = |value: &Self| match value {
            Self::Array(pair) => match pair.as_slice() {
                [Self::Text(key), value] => Some((key.clone(), set(value)?)),
                _ => None,
            },
            _ => None,
        };
        match self {
            Self::Array(pairs) => pairs.iter().map(pair).collect(),
            Self::Struct(members) => {
                members.iter().map(|(key, value)| Some((key.clone(), set(value)?))).collect()
            }
            _ => None,
        }
    }

    /// The pairs of a map of strings, in order.
    pub fn as_texts_by_key(&self) -> Option<Vec<(String, String)>> {
        let pair = |(key, value): &(String, Self)| Some((key.clone(), value.as_text()?.to_owned()));
        self.members()?.iter().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recurring_keys_are_kept_in_order_in_either_form() {
        let pairs = vec![
            ("b".to_owned(), vec!["ldaps".to_owned()]),
            ("a".to_owned(), vec![]),
            ("b".to_owned(), vec!["licensing".to_owned()]),
        ];
        let map = Value::sets_by_key(pairs.clone());
        assert_eq!(map.as_sets_by_key(), Some(pairs.clone()));
        let list = Value::pairs_of_sets(pairs.clone());
        assert_eq!(list.as_sets_by_key(), Some(pairs));
        for other in
            [Value::Nil, Value::texts(["a"]), Value::texts_by_key([("a".into(), "b".into())])]
        {
            assert_eq!(other.as_sets_by_key(), None);
        }
    }
}
