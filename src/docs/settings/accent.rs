//! The accent: the page's one colour, which must be readable on every background that it has.

use std::fmt;
use std::str::FromStr;

/// A colour as `#rrggbb` that is readable on the page's light backgrounds. Dark themes use a lighter one of the same hue.
///
/// # Errors
/// Parsing another text, or a colour that is too light, fails with [`ParseAccentError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Colour);

type Colour = [u8; 3];

/// The least contrast of text (WCAG 2.2, success criterion 1.4.3).
const CONTRAST: f64 = 4.5;

/// The part of the accent in the wash that is made of it and of the page's colour.
const WASH: f64 = 0.09;

/// The page's backgrounds beside that wash: of text, and of code. The style sheet has them too.
const LIGHT: [Colour; 2] = [[0xff, 0xff, 0xff], [0xf4, 0xf6, 0xf7]];
const DARK: [Colour; 2] = [[0x10, 0x14, 0x17], [0x18, 0x1e, 0x22]];

/// The reason why a text is not an accent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParseAccentError {
    /// The text is not a colour of the form `#rrggbb`.
    NoColour,
    /// The colour's contrast to the page is too low.
    TooLight {
        /// The least contrast to a background of the page, which must be 4.5.
        contrast: f64,
        /// A colour of the same hue that has it.
        nearest: Accent,
    },
}

impl fmt::Display for ParseAccentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseAccentError::NoColour => f.write_str("expected a colour as #1a5fb4"),
            ParseAccentError::TooLight { contrast, nearest } => write!(
                f,
                "expected a darker colour: on the page its contrast is {contrast:.2}, less than {CONTRAST}; {nearest} has it"
            ),
        }
    }
}

impl std::error::Error for ParseAccentError {}

impl Default for Accent {
    /// Returns the accent of the style sheet: `#0b5f70`.
    fn default() -> Accent {
        Accent([0x0b, 0x5f, 0x70])
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_colour(self.0, f)
    }
}

fn write_colour([red, green, blue]: Colour, f: &mut impl fmt::Write) -> fmt::Result {
    write!(f, "#{red:02x}{green:02x}{blue:02x}")
}

impl FromStr for Accent {
    type Err = ParseAccentError;

    fn from_str(text: &str) -> Result<Accent, ParseAccentError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ParseAccentError::NoColour)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(ParseAccentError::NoColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        let colour = [red, green, blue];
        match least_contrast(colour, LIGHT) {
            contrast if contrast < CONTRAST => {
                Err(ParseAccentError::TooLight { contrast, nearest: Accent(toward(colour, [0; 3], LIGHT)) })
            }
            _ => Ok(Accent(colour)),
        }
    }
}

impl Accent {
    /// Returns its rules, for the end of the style sheet.
    pub(in crate::docs) fn style(self) -> String {
        let mut dark = String::new();
        // writing to a String does not fail
        _ = write_colour(self.in_the_dark(), &mut dark);
        format!(":root{{--accent:{self}}}@media(prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}")
    }

    /// Mixes it with as much white as dark themes need.
    fn in_the_dark(self) -> Colour {
        toward(self.0, [255; 3], DARK)
    }
}

/// Mixes a colour with as little of another as gives it the contrast to these backgrounds.
fn toward(colour: Colour, end: Colour, backgrounds: [Colour; 2]) -> Colour {
    let mixed = |step: u16| mix(end, colour, f64::from(step) / 100.0);
    (0..=100).map(mixed).find(|colour| least_contrast(*colour, backgrounds) >= CONTRAST).unwrap_or(end)
}

/// Mixes a part of one colour into another, as `color-mix(in srgb, ..)` does.
fn mix(one: Colour, other: Colour, part: f64) -> Colour {
    let channel = |index: usize| (f64::from(one[index]) * part + f64::from(other[index]) * (1.0 - part)).round() as u8;
    [channel(0), channel(1), channel(2)]
}

/// Returns the least contrast of a colour to some backgrounds, and to a wash of it on the first.
fn least_contrast(colour: Colour, backgrounds: [Colour; 2]) -> f64 {
    let contrast = |other: Colour| {
        let (a, b) = (luminance(colour), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    };
    let [page, soft] = backgrounds;
    [page, soft, mix(colour, page, WASH)].map(contrast).into_iter().fold(f64::INFINITY, f64::min)
}

/// Returns the lightness of a colour (WCAG 2.2, "relative luminance").
fn luminance(colour: Colour) -> f64 {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        part if part <= 0.040_45 => part / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_seen() {
        let accent: Accent = "#1a5fb4".parse().unwrap();
        let dark = accent.in_the_dark();
        assert!(least_contrast(dark, DARK) >= CONTRAST && dark != [255; 3]);
        assert_eq!(Accent::default().to_string().parse(), Ok(Accent::default()));
        for text in ["", "red", "#12345", "#1234567", "#12345g", "#+12345", "é12345"] {
            assert_eq!(text.parse::<Accent>(), Err(ParseAccentError::NoColour), "{text}");
        }
    }

    #[test]
    fn another_colour_is_named_that_is_seen() {
        for text in ["#ffee00", "#ffffff", "#8888ff", "#777777"] {
            let Err(ParseAccentError::TooLight { contrast, nearest }) = text.parse::<Accent>() else {
                panic!("{text} is too light")
            };
            assert!(contrast < CONTRAST);
            assert_eq!(nearest.to_string().parse(), Ok(nearest), "{text}");
        }
        let refusal = "#ffee00".parse::<Accent>().unwrap_err().to_string();
        assert!(
            refusal.starts_with(
                "expected a darker colour: on the page its contrast is 1.11, less than 4.5; #787000 has it"
            ),
            "{refusal}"
        );
    }

    #[test]
    fn a_wash_counts_too() {
        // readable on white and on grey, not on its own wash
        let white =
            |text: &str| least_contrast(text.parse::<Accent>().map_or([0; 3], |accent| accent.0), [[255; 3]; 2]);
        assert!(white("#0b5f70") > CONTRAST);
        assert!(matches!("#707070".parse::<Accent>(), Err(ParseAccentError::TooLight { .. })));
        let alone = |background: Colour| (luminance(background) + 0.05) / (luminance([0x70; 3]) + 0.05);
        assert!(LIGHT.into_iter().all(|background| alone(background) > CONTRAST));
    }
}
