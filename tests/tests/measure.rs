//! Images that nobody would build: broken ones, hostile ones, rare forms of tar.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use stagewright::{Image, MeasureError, MeasureOptions};

/// A header of 512 bytes: name, kind, size.
fn header(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name.as_bytes(), kind, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = members.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// An archive of `docker save` with these layers, in a file that goes with it.
struct Archive(PathBuf);

impl Archive {
    fn new(layers: &[Vec<u8>]) -> Self {
        let names: Vec<String> = (0..layers.len()).map(|at| format!("{at}.tar")).collect();
        let manifest =
            format!("[{{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\"],\"Layers\":{names:?}}}]");
        let mut members: Vec<Vec<u8>> = names
            .iter()
            .zip(layers)
            .map(|(name, layer)| member(name, b'0', layer))
            .collect();
        members.push(member(
            "c.json",
            b'0',
            b"{\"os\":\"linux\",\"architecture\":\"amd64\"}",
        ));
        members.push(member("manifest.json", b'0', manifest.as_bytes()));
        Self::of(&tar(&members))
    }

    fn of(bytes: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "stagewright-{}-{}.tar",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).expect("the folder for passing files can be written");
        Self(path)
    }

    fn measure(&self, change: impl Fn(&mut MeasureOptions)) -> Result<Image, MeasureError> {
        let mut options = MeasureOptions::default();
        change(&mut options);
        Image::open_with(&self.0, &options)
    }

    fn code(&self, change: impl Fn(&mut MeasureOptions)) -> &'static str {
        self.measure(change).expect_err("it is wrong").code()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn bombs_end_at_the_limits() {
    let zeros = vec![0; 300_000_000];
    let bomb = Archive::new(&[gzip(&tar(&[member("zeros", b'0', &zeros)]))]);
    assert_eq!(
        bomb.code(|options| options.limits.ratio = 100),
        "image-too-large"
    );
    assert_eq!(
        bomb.code(|options| options.limits.bytes = 1_000_000),
        "image-too-large"
    );
    assert_eq!(
        bomb.measure(|options| options.limits.ratio = 2000)
            .unwrap()
            .bytes,
        300_000_000
    );
    let many: Vec<Vec<u8>> = (0..200)
        .map(|at| member(&format!("f{at}"), b'0', b""))
        .collect();
    let many = Archive::new(&[tar(&many)]);
    assert_eq!(
        many.code(|options| options.limits.entries = 199),
        "image-too-large"
    );
    assert_eq!(
        many.measure(|options| options.limits.entries = 200)
            .unwrap()
            .entries,
        200
    );
    // One name of a million bytes counts as four thousand entries.
    let long = Archive::new(&[tar(&[
        member("././@LongLink", b'L', &vec![b'n'; 1_000_000]),
        member("n", b'0', b""),
    ])]);
    assert_eq!(
        long.code(|options| options.limits.entries = 1000),
        "image-too-large"
    );
}

#[test]
fn a_record_that_claims_too_much_is_not_read() {
    let claims = tar(&[header(b"pax", b'x', 5_000_000_000)]);
    assert_eq!(Archive::new(&[claims]).code(|_| {}), "image-bad-tar");
    // A file that claims more than the layer has.
    let claims = tar(&[header(b"file", b'0', 5_000_000_000)]);
    assert_eq!(
        Archive::new(std::slice::from_ref(&claims)).code(|_| {}),
        "image-truncated"
    );
    assert_eq!(
        Archive::new(&[gzip(&claims)]).code(|_| {}),
        "image-truncated"
    );
}

#[test]
fn every_cut_is_an_error_or_a_whole_number_of_entries() {
    let layer = tar(&[
        member("one", b'0', b"1234567"),
        member("two", b'0', &[7; 900]),
    ]);
    let whole = gzip(&layer);
    for end in 1..whole.len() {
        let code = Archive::new(&[whole[..end].to_vec()]).code(|_| {});
        assert!(
            matches!(
                code,
                "image-truncated" | "image-bad-compression" | "image-bad-tar"
            ),
            "{end}: {code}"
        );
    }
    for end in (1..layer.len()).step_by(97) {
        match Archive::new(&[layer[..end].to_vec()]).measure(|_| {}) {
            Ok(image) => assert!([0, 7, 907].contains(&image.bytes), "{end}: {}", image.bytes),
            Err(error) => assert!(
                matches!(error.code(), "image-truncated" | "image-bad-tar"),
                "{end}: {error}"
            ),
        }
    }
}

#[test]
fn rare_forms_are_counted() {
    // PAX: name and size in the records.
    let pax = b"19 path=deep/\xc3\xa9t\xc3\xa9\n9 size=5\n";
    // A GNU sparse file: 3 bytes are stored, the file has 1000.
    let mut sparse = header(b"sparse", b'S', 3);
    sparse[483..495].copy_from_slice(b"00000001750\0");
    let sum: u32 = sparse[..148]
        .iter()
        .chain(&sparse[156..])
        .map(|byte| u32::from(*byte))
        .sum::<u32>()
        + 256;
    sparse[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    sparse.extend_from_slice(b"abc");
    sparse.resize(1024, 0);
    let mut sized = header(b"x", b'0', 0);
    sized.extend_from_slice(b"12345");
    sized.resize(1024, 0);
    let hard = header(b"hard", b'1', 77);
    let layer = tar(&[
        member("pax", b'x', pax),
        sized,
        sparse,
        hard,
        member("last", b'7', b"1"),
    ]);
    for layer in [layer.clone(), gzip(&layer)] {
        let image = Archive::new(&[layer]).measure(|_| {}).unwrap();
        assert_eq!((image.bytes, image.files, image.entries), (1006, 3, 4));
        assert_eq!(image.largest[1].path, "/deep/été");
    }
}

#[test]
fn streams_of_several_members_are_one_layer() {
    let layer = tar(&[
        member("one", b'0', &[1; 3000]),
        member("two", b'0', &[2; 3000]),
    ]);
    let parts = [gzip(&layer[..1000]), gzip(&layer[1000..])].concat();
    let image = Archive::new(&[parts]).measure(|_| {}).unwrap();
    assert_eq!((image.bytes, image.tar), (6000, layer.len() as u64));
}

#[test]
fn hidden_and_visible_bytes_are_all_bytes() {
    let image = Archive::new(&[
        tar(&[
            member("a/one", b'0', &[1; 100]),
            member("a/two", b'0', &[2; 50]),
            member("b", b'0', &[3; 10]),
        ]),
        tar(&[
            member("a/", b'5', b""),
            member("a/one", b'0', &[4; 7]),
            member("b", b'0', &[3; 10]),
            member("b", b'0', &[5; 20]),
        ]),
        tar(&[member("a", b'0', &[6; 3])]),
        tar(&[
            member(".wh.b", b'0', b""),
            member("c/.wh..wh..opq", b'0', b""),
            member("c/three", b'0', &[9; 4]),
        ]),
    ])
    .measure(|_| {})
    .unwrap();
    let hidden: Vec<u64> = image.layers.iter().map(|layer| layer.hidden).collect();
    assert_eq!(hidden, [0, 100 + 10 + 10, 7 + 50, 20]);
    assert_eq!(image.visible(), 3 + 4, "`a` and `c/three`");
}

/// Files of any size and name, again and again, in layers under every packing: what is measured is the sum of the entries, to the byte.
#[test]
fn what_is_measured_is_the_sum_of_the_entries() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for _ in 0..30 {
        let (mut layers, mut bytes, mut files) = (Vec::new(), 0, 0);
        let mut of_layers = Vec::new();
        for _ in 0..=random(4) {
            let (mut members, mut of_layer) = (Vec::new(), 0);
            for _ in 0..random(40) {
                let folder = ["", "a/", "a/b/", "deep/er/"][usize::try_from(random(4)).unwrap()];
                let name = format!("{folder}f{}", random(12));
                let size =
                    [0, 1, 511, 512, 513, random(20_000)][usize::try_from(random(6)).unwrap()];
                let content =
                    vec![u8::try_from(random(256)).unwrap(); usize::try_from(size).unwrap()];
                match random(6) {
                    0 => members.push(member(&format!("{folder}.wh.f1"), b'0', b"")),
                    1 => members.push(member(&format!("d{}/", random(9)), b'5', b"")),
                    2 => members.push(member(&name, b'2', b"")),
                    _ => {
                        members.push(member(&name, b'0', &content));
                        of_layer += size;
                        files += 1;
                    }
                }
            }
            let layer = tar(&members);
            layers.push(match random(3) {
                0 => layer,
                1 => gzip(&layer),
                _ => compress_to_vec(&layer[..], CompressionLevel::Fastest),
            });
            of_layers.push(of_layer);
            bytes += of_layer;
        }
        let image = Archive::new(&layers).measure(|_| {}).unwrap();
        let measured: Vec<u64> = image.layers.iter().map(|layer| layer.bytes).collect();
        assert_eq!(
            (image.bytes, image.files, measured),
            (bytes, files, of_layers)
        );
        assert_eq!(image.visible() + image.hidden, bytes);
    }
}
