//! Writes JSON straight into bytes: pages are large, and their fields are chosen by the caller.

use serde::Serialize;

/// The bytes of one JSON object.
pub fn object(write: impl FnOnce(&mut Object)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    object_into(&mut bytes, write);
    bytes
}

/// The bytes of one JSON array.
pub fn list(write: impl FnOnce(&mut List)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    list_into(&mut bytes, write);
    bytes
}

/// An object that is being written.
pub struct Object<'a> {
    bytes: &'a mut Vec<u8>,
    empty: bool,
}

impl Object<'_> {
    /// A field with a plain value. `key` needs no escaping.
    pub fn put<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.key(key);
        plain(self.bytes, value);
        self
    }

    /// A field that holds an object.
    pub fn object(&mut self, key: &str, write: impl FnOnce(&mut Object)) -> &mut Self {
        self.key(key);
        object_into(self.bytes, write);
        self
    }

    /// A field that holds an object, or null.
    pub fn maybe<T>(
        &mut self,
        key: &str,
        value: Option<T>,
        write: impl FnOnce(&mut Object, T),
    ) -> &mut Self {
        match value {
            Some(value) => self.object(key, |o| write(o, value)),
            None => self.put(key, &()),
        }
    }

    /// A field that holds an array.
    pub fn list(&mut self, key: &str, write: impl FnOnce(&mut List)) -> &mut Self {
        self.key(key);
        list_into(self.bytes, write);
        self
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }
}

/// An array that is being written.
pub struct List<'a> {
    bytes: &'a mut Vec<u8>,
    empty: bool,
}

impl List<'_> {
    /// An object.
    pub fn object(&mut self, write: impl FnOnce(&mut Object)) -> &mut Self {
        self.comma();
        object_into(self.bytes, write);
        self
    }

    fn comma(&mut self) {
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
    }
}

/// Writes one object at the end of `bytes`.
pub fn object_into(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Object)) {
    bytes.push(b'{');
    write(&mut Object { bytes, empty: true });
    bytes.push(b'}');
}

/// Writes one array at the end of `bytes`.
pub fn list_into(bytes: &mut Vec<u8>, write: impl FnOnce(&mut List)) {
    bytes.push(b'[');
    write(&mut List { bytes, empty: true });
    bytes.push(b']');
}

/// Writes one plain value at the end of `bytes`.
pub fn plain<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(bytes, value).expect("plain values always have a JSON form");
}
