//! The elements of XML-RPC.

use std::fmt;

use crate::wire::xml::TagName;

macro_rules! tags {
    ($($tag:ident = $first:literal $(| $more:literal)*,)*) => {
        /// An element of XML-RPC, or of Apache's extensions, with the prefix `ex`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Tag {
            $($tag,)*
            Unknown,
        }

        impl TagName for Tag {
            #[inline]
            fn of(name: &str) -> Tag {
                match name {
                    $($first $(| $more)* => Tag::$tag,)*
                    _ => Tag::Unknown,
                }
            }

            #[inline]
            fn is_known(self) -> bool {
                self != Tag::Unknown
            }
        }

        impl Tag {
            fn name(self) -> &'static str {
                match self {
                    $(Tag::$tag => $first,)*
                    Tag::Unknown => "unknown",
                }
            }
        }
    };
}

tags! {
    MethodCall = "methodCall",
    MethodResponse = "methodResponse",
    MethodName = "methodName",
    Params = "params",
    Param = "param",
    Fault = "fault",
    Value = "value",
    Int = "int" | "i4",
    I1 = "i1" | "ex:i1",
    I2 = "i2" | "ex:i2",
    I8 = "i8" | "ex:i8" | "ex:biginteger",
    Boolean = "boolean",
    String = "string",
    Double = "double" | "ex:float",
    DateTime = "dateTime.iso8601" | "ex:dateTime",
    Base64 = "base64",
    Struct = "struct",
    Member = "member",
    Name = "name",
    Array = "array",
    Data = "data",
    Nil = "nil" | "ex:nil",
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
