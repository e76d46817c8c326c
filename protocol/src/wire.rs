//! Messages that may grow.
//!
//! A message is a tag and a record; a record is fields, each with a tag and a length of its own; a field holds a value,
//! a record or a message. Whoever reads skips fields that it does not know, and knows a message of a kind that it does
//! not know by its tag, so that a later version may add both. Fields come in the order of their tags, each at most
//! once. [`message!`](macro@crate::message) and [`record!`](macro@crate::record) write types down together with their tags.
//!
//! | part | bytes |
//! |---|---|
//! | message | `u16` tag, then a record |
//! | record | fields |
//! | field | `u16` tag, `u32` length, then so many bytes |
//!
//! All numbers are little-endian.

use bytes::Buf;
pub use bytes::Bytes;

use crate::encoding::{self, EncodingError};

/// Something that travels in a frame or in a field.
pub trait Wire: Sized {
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads what takes up all of `bytes`; `what` names it in errors. Parts of `bytes` are shared, not copied.
    ///
    /// # Errors
    /// [`EncodingError`] says what is wrong.
    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError>;

    /// Appends a field with this in it.
    fn write_field(&self, tag: u16, out: &mut Vec<u8>) {
        out.extend(tag.to_le_bytes());
        write_sized(self, out);
    }
}

/// The encoding of a whole message.
pub fn to_bytes<T: Wire>(message: &T) -> Vec<u8> {
    let mut out = Vec::new();
    message.write(&mut out);
    out
}

/// Reads a whole message of at most `limit` bytes; `what` names it in errors.
///
/// # Errors
/// [`EncodingError::TooLarge`] before anything else, then whatever else is wrong.
pub fn from_bytes<T: Wire>(what: &'static str, bytes: Bytes, limit: usize) -> Result<T, EncodingError> {
    if bytes.len() > limit {
        return Err(EncodingError::TooLarge { what, got: bytes.len(), limit });
    }
    T::read(what, bytes)
}

/// Fields without the tag of a message.
pub trait Record: Sized {
    /// Appends the fields.
    fn write_fields(&self, out: &mut Vec<u8>);

    /// Takes the fields that this version knows.
    ///
    /// # Errors
    /// As [`Wire::read`].
    fn take(fields: &mut Fields) -> Result<Self, EncodingError>;
}

impl<T: Record> Record for Box<T> {
    fn write_fields(&self, out: &mut Vec<u8>) {
        (**self).write_fields(out);
    }

    fn take(fields: &mut Fields) -> Result<Self, EncodingError> {
        T::take(fields).map(Self::new)
    }
}

/// The fields of a record that is being read.
#[derive(Debug)]
pub struct Fields {
    what: &'static str,
    rest: Bytes,
    last: Option<u16>,
    /// Read, but not asked for yet.
    next: Option<(u16, Bytes)>,
}

impl Fields {
    /// The fields in `bytes`; `what` names the record in errors.
    pub fn new(what: &'static str, bytes: Bytes) -> Self {
        Self { what, rest: bytes, last: None, next: None }
    }

    /// The field `tag`, called `name` in errors, or `default` where it is missing. Fields are asked for in the order of
    /// their tags; those in between are of a later version and skipped.
    ///
    /// # Errors
    /// If it is missing and has no default, does not decode, or the fields before it are torn or out of order.
    pub fn take<T: Wire>(
        &mut self,
        tag: u16,
        name: &'static str,
        default: Option<T>,
    ) -> Result<T, EncodingError> {
        while let Some((next, value)) = self.peek()? {
            if next > tag {
                break;
            }
            self.next = None;
            if next == tag {
                return T::read(name, value);
            }
        }
        default.ok_or(EncodingError::Missing { what: self.what, field: name })
    }

    /// Skips the rest, which must be fields.
    ///
    /// # Errors
    /// If it is torn or out of order.
    pub fn end(mut self) -> Result<(), EncodingError> {
        while self.peek()?.is_some() {
            self.next = None;
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<(u16, Bytes)>, EncodingError> {
        if self.next.is_none() && !self.rest.is_empty() {
            let torn = EncodingError::Torn { what: self.what };
            if self.rest.len() < 2 {
                return Err(torn);
            }
            let tag = self.rest.get_u16_le();
            if self.last.is_some_and(|last| tag <= last) {
                return Err(EncodingError::Order { what: self.what, tag });
            }
            self.last = Some(tag);
            let value = read_sized(&mut self.rest).ok_or(torn)?;
            self.next = Some((tag, value));
        }
        Ok(self.next.clone())
    }
}

/// A length, and so many bytes.
fn write_sized<T: Wire>(value: &T, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0; 4]);
    value.write(out);
    // Frames are far smaller than 4 GiB, and so is everything in them.
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn read_sized(bytes: &mut Bytes) -> Option<Bytes> {
    if bytes.len() < 4 {
        return None;
    }
    let length = bytes.get_u32_le() as usize;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// The tag of a message, and its fields.
pub(crate) fn split_tag(what: &'static str, mut bytes: Bytes) -> Result<(u16, Bytes), EncodingError> {
    if bytes.len() < 2 {
        return Err(EncodingError::Torn { what });
    }
    Ok((bytes.get_u16_le(), bytes))
}

/// Reads a message by its tag; what [`message!`](macro@crate::message) expands to.
#[doc(hidden)]
pub fn read_message<T>(
    what: &'static str,
    bytes: Bytes,
    read: impl FnOnce(u16, &mut Fields) -> Result<T, EncodingError>,
) -> Result<T, EncodingError> {
    let (tag, rest) = split_tag(what, bytes)?;
    let mut fields = Fields::new(what, rest);
    let message = read(tag, &mut fields)?;
    fields.end()?;
    Ok(message)
}

/// Declares the kinds of a message with their tags and fields, `TAG = field: Type`, and where a field may be missing
/// `TAG = field: Type = default`. A kind may also be one record: `TAG = Kind(name: Record)`. Kinds of a later version are
/// read as `Unknown(tag)`.
#[macro_export]
macro_rules! message {
    (
        $(#[$outer:meta])*
        pub enum $name:ident {
            $(
                $(#[$doc:meta])*
                $tag:literal = $kind:ident
                $({ $(
                    $(#[$field_doc:meta])*
                    $field_tag:literal = $field:ident: $type:ty $(= $default:expr)?
                ),* $(,)? })?
                $(( $inner:ident: $record:ty ))?
            ),* $(,)?
        }
    ) => {
        $(#[$outer])*
        pub enum $name {
            $(
                $(#[$doc])*
                $kind $({ $( $(#[$field_doc])* $field: $type ),* })? $(($record))?,
            )*
            /// A kind of a later version, by its tag.
            Unknown(u16),
        }

        impl $crate::wire::Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(
                        Self::$kind $({ $($field),* })? $(($inner))? => {
                            out.extend(u16::to_le_bytes($tag));
                            $($( $crate::wire::Wire::write_field($field, $field_tag, out); )*)?
                            $( $crate::wire::Record::write_fields($inner, out); )?
                        }
                    )*
                    Self::Unknown(tag) => out.extend(tag.to_le_bytes()),
                }
            }

            fn read(
                what: &'static str,
                bytes: $crate::wire::Bytes,
            ) -> Result<Self, $crate::encoding::EncodingError> {
                $crate::wire::read_message(what, bytes, |tag, fields| Ok(match tag {
                    $(
                        $tag => Self::$kind
                            $({ $(
                                $field: fields.take(
                                    $field_tag,
                                    stringify!($field),
                                    None $(.or(Some($default)))?,
                                )?
                            ),* })?
                            $((<$record as $crate::wire::Record>::take(fields)?))?,
                    )*
                    // Whatever its fields are.
                    tag => {
                        let _ = fields;
                        Self::Unknown(tag)
                    }
                }))
            }
        }
    };
}

/// Declares a struct with the tags of its fields, as in [`message!`](macro@crate::message).
#[macro_export]
macro_rules! record {
    (
        $(#[$outer:meta])*
        pub struct $name:ident {
            $(
                $(#[$doc:meta])*
                $tag:literal = $field:ident: $type:ty $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$outer])*
        pub struct $name {
            $( $(#[$doc])* pub $field: $type, )*
        }

        impl $crate::wire::Record for $name {
            fn write_fields(&self, out: &mut Vec<u8>) {
                $( $crate::wire::Wire::write_field(&self.$field, $tag, out); )*
            }

            fn take(
                fields: &mut $crate::wire::Fields,
            ) -> Result<Self, $crate::encoding::EncodingError> {
                Ok(Self {
                    $( $field: fields.take($tag, stringify!($field), None $(.or(Some($default)))?)?, )*
                })
            }
        }

        impl $crate::wire::Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $crate::wire::Record::write_fields(self, out);
            }

            fn read(
                what: &'static str,
                bytes: $crate::wire::Bytes,
            ) -> Result<Self, $crate::encoding::EncodingError> {
                let mut fields = $crate::wire::Fields::new(what, bytes);
                let record = $crate::wire::Record::take(&mut fields)?;
                fields.end()?;
                Ok(record)
            }
        }
    };
}

/// Values: bincode.
macro_rules! values {
    ($($type:ty),* $(,)?) => { $(
        impl Wire for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend(encoding::encode(self));
            }

            fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
                encoding::decode(what, &bytes, bytes.len())
            }
        }
    )* };
}

pub(crate) use values;

values!(bool, u32, u64, String, Vec<String>, [u8; 8], [u8; 32]);

impl Wire for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(encoding::encode(&serde_bytes::Bytes::new(self)));
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let value: &serde_bytes::Bytes = encoding::decode(what, &bytes, bytes.len())?;
        Ok(value.to_vec())
    }
}

/// The same bytes as of a `Vec<u8>`, shared when read.
impl Wire for Bytes {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(encoding::encode(&serde_bytes::Bytes::new(self)));
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let value: &serde_bytes::Bytes = encoding::decode(what, &bytes, bytes.len())?;
        Ok(bytes.slice_ref(value))
    }
}

/// A field that is left out if there is nothing in it.
impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        T::read(what, bytes).map(Some)
    }

    fn write_field(&self, tag: u16, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.write_field(tag, out);
        }
    }
}

/// Records one after the other, each after its length.
impl<T: Record + Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        for record in self {
            write_sized(record, out);
        }
    }

    fn read(what: &'static str, mut bytes: Bytes) -> Result<Self, EncodingError> {
        let mut list = Vec::new();
        while !bytes.is_empty() {
            let record = read_sized(&mut bytes).ok_or(EncodingError::Torn { what })?;
            list.push(T::read(what, record)?);
        }
        Ok(list)
    }
}

/// A byte, 0 for success and 1 for an error, and what it is.
impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Ok(value) => {
                out.push(0);
                value.write(out);
            }
            Err(error) => {
                out.push(1);
                error.write(out);
            }
        }
    }

    fn read(what: &'static str, mut bytes: Bytes) -> Result<Self, EncodingError> {
        let tag = if bytes.is_empty() { None } else { Some(bytes.get_u8()) };
        match tag {
            Some(0) => T::read(what, bytes).map(Ok),
            Some(1) => E::read(what, bytes).map(Err),
            _ => Err(EncodingError::Torn { what }),
        }
    }
}
