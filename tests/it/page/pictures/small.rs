//! Small pictures, which are kept and compared: what a page looks like, without what is too fine to matter.

use std::collections::BTreeSet;
use std::io::Cursor;

/// The pixels of a screenshot, in each direction, that one pixel stands for.
const SCALE: usize = 4;

/// The distance of two neighbouring levels of a channel. With 32 levels a picture is small, and new colours are seen.
const STEP: f64 = 255.0 / 31.0;

/// The pixels of a block, in each direction. A letter that moves a little leaves its block as it was.
const BLOCK: usize = 8;

/// The mean difference of the channels, out of 255, that a block may have: drawn once more by another version.
const MAX_DIFFERENCE: f64 = 6.0;

/// The share of blocks that may differ by more.
const MAX_SHARE: f64 = 0.003;

type Pixel = [u8; 3];

/// A picture in few pixels and few colours.
#[derive(Clone)]
pub struct Small {
    width: usize,
    pixels: Vec<Pixel>,
}

/// The difference of two pictures.
pub struct Difference {
    /// The mean over all blocks, out of 255.
    pub mean: f64,
    /// The share of the blocks that differ.
    pub share: f64,
    /// The second picture, pale, with the blocks that differ in red.
    pub picture: Small,
}

impl Difference {
    pub fn is_seen(&self) -> bool {
        self.share > MAX_SHARE
    }
}

impl Small {
    /// Scales a screenshot down: each pixel is the mean of those it stands for, rounded to a level.
    pub fn of_screenshot(png: &[u8]) -> Small {
        let large = Small::read(png);
        let (width, height) = (large.width / SCALE, large.height() / SCALE);
        let mean = |x: usize, y: usize| {
            let inside = large.block(x * SCALE, y * SCALE, SCALE);
            [0, 1, 2].map(|channel| {
                let sum: f64 = inside.iter().map(|pixel| f64::from(pixel[channel])).sum();
                ((sum / inside.len() as f64 / STEP).round() * STEP) as u8
            })
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect();
        Small { width, pixels }
    }

    pub fn read(png: &[u8]) -> Small {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut octets = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut octets).unwrap();
        assert!(info.color_type.samples() >= 3, "a picture is in colour");
        let pixels = octets[..info.buffer_size()].chunks(info.color_type.samples());
        Small { width: info.width as usize, pixels: pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect() }
    }

    /// Returns a PNG, with a palette if its colours are few enough for one.
    pub fn to_png(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut encoder = png::Encoder::new(&mut octets, self.width as u32, self.height() as u32);
        encoder.set_compression(png::Compression::High);
        let palette: Vec<Pixel> = BTreeSet::from_iter(&self.pixels).into_iter().copied().collect();
        let data: Vec<u8> = if palette.len() <= 256 {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.as_flattened().to_vec());
            encoder.set_filter(png::Filter::NoFilter);
            self.pixels.iter().map(|pixel| palette.binary_search(pixel).expect("it has all") as u8).collect()
        } else {
            encoder.set_color(png::ColorType::Rgb);
            self.pixels.as_flattened().to_vec()
        };
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        octets
    }

    /// Compares two pictures block by block. Of different sizes, they differ everywhere.
    pub fn compare(&self, other: &Small) -> Difference {
        if (self.width, self.height()) != (other.width, other.height()) {
            return Difference { mean: 255.0, share: 1.0, picture: other.clone() };
        }
        let mut picture = other.pale();
        let mut differences = Vec::new();
        for y in (0..self.height()).step_by(BLOCK) {
            for x in (0..self.width).step_by(BLOCK) {
                let difference = mean_difference(&self.block(x, y, BLOCK), &other.block(x, y, BLOCK));
                differences.push(difference);
                if difference > MAX_DIFFERENCE {
                    picture.redden(x, y);
                }
            }
        }
        let count = differences.len() as f64;
        let seen = differences.iter().filter(|difference| **difference > MAX_DIFFERENCE).count();
        Difference { mean: differences.iter().sum::<f64>() / count, share: seen as f64 / count, picture }
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// Returns the pixels of a square, or of what is inside of the picture.
    fn block(&self, left: usize, top: usize, side: usize) -> Vec<Pixel> {
        self.places(left, top, side).map(|place| self.pixels[place]).collect()
    }

    fn places(&self, left: usize, top: usize, side: usize) -> impl Iterator<Item = usize> + use<> {
        let (width, right, bottom) = (self.width, self.width.min(left + side), self.height().min(top + side));
        (top..bottom).flat_map(move |y| (left..right).map(move |x| y * width + x))
    }

    fn pale(&self) -> Small {
        let pale = |pixel: &Pixel| pixel.map(|channel| 160 + channel / 4);
        Small { width: self.width, pixels: self.pixels.iter().map(pale).collect() }
    }

    fn redden(&mut self, left: usize, top: usize) {
        for place in self.places(left, top, BLOCK) {
            self.pixels[place][0] = 255;
            self.pixels[place][1] /= 2;
            self.pixels[place][2] /= 2;
        }
    }
}

fn mean_difference(one: &[Pixel], other: &[Pixel]) -> f64 {
    let channels = one.as_flattened().iter().zip(other.as_flattened());
    let sum: f64 = channels.map(|(one, other)| f64::from(one.abs_diff(*other))).sum();
    sum / (one.len() * 3) as f64
}

/// A page of one colour that is 64 blocks large, with another colour in its upper left corner.
fn painted(colour: Pixel, corner: Pixel, side: usize) -> Small {
    let width = 8 * BLOCK;
    let pixel = |place: usize| if place % width < side && place / width < side { corner } else { colour };
    Small { width, pixels: (0..width * width).map(pixel).collect() }
}

#[test]
fn a_picture_roundtrip() {
    let picture = painted([255, 255, 255], [17, 34, 51], 9);
    let read = Small::read(&picture.to_png());
    assert_eq!((read.width, &read.pixels), (picture.width, &picture.pixels));
    // more colours than a palette holds
    let pixels: Vec<Pixel> = (0..64 * 64).map(|place: usize| [place as u8, (place >> 8) as u8, 7]).collect();
    let picture = Small { width: 64, pixels };
    assert_eq!(Small::read(&picture.to_png()).pixels, picture.pixels);
}

#[test]
fn a_screenshot_is_scaled_down() {
    let small = Small::of_screenshot(&painted([255, 255, 255], [0, 0, 0], 4).to_png());
    assert_eq!((small.width, small.height()), (16, 16));
    assert_eq!(small.pixels[..2], [[0, 0, 0], [255, 255, 255]]);
    // a quarter of the first four is black
    let small = Small::of_screenshot(&painted([255, 255, 255], [0, 0, 0], 2).to_png());
    assert_eq!(small.pixels[0], [189, 189, 189]);
}

#[test]
fn differences_that_are_seen() {
    let white = painted([255; 3], [255; 3], 0);
    for (is_seen, other) in [
        (false, white.clone()),
        // a few pixels of a block are not seen; one level is, if it is everywhere
        (false, painted([255; 3], [238; 3], 2)),
        (true, painted([247; 3], [247; 3], 0)),
        (true, painted([255; 3], [0, 0, 255], 8)),
        (true, Small { width: 32, ..white.clone() }),
    ] {
        let difference = white.compare(&other);
        assert_eq!(difference.is_seen(), is_seen, "{} {}", difference.mean, difference.share);
    }
}
