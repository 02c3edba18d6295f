//! The variables as they were given: by value, or by the name of a file.

use std::collections::HashMap;

use super::Error;

pub(super) struct Vars(HashMap<String, String>);

impl Vars {
    pub(super) fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Vars {
        let pairs = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Vars(pairs.filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// Reads a value; when it is bad the error repeats it.
    pub(super) fn read<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        self.parse(variable, parse, |text| format!("{text:?}"))
    }

    /// Reads a value that is secret, or holds a secret; errors never repeat it.
    pub(super) fn read_hidden<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        self.parse(variable, parse, |text| format!("hidden ({} characters)", text.chars().count()))
    }

    fn parse<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        show: impl FnOnce(&str) -> String,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(variable)? else { return Ok(None) };
        match parse(&text) {
            Ok(value) => Ok(Some(value)),
            Err(remedy) => Err(Error::Bad { variable, value: show(&text), remedy }),
        }
    }

    fn text(&self, variable: &'static str) -> Result<Option<String>, Error> {
        let value = self.0.get(variable).map(|value| value.trim().to_owned());
        let Some(path) = self.0.get(&format!("{variable}_FILE")) else { return Ok(value) };
        if value.is_some() {
            let remedy = format!("{variable}_FILE is set as well; remove one of the two");
            return Err(Error::Bad { variable, value: "set".to_owned(), remedy });
        }
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
            variable,
            path: path.clone(),
            source,
        })?;
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }
}
