internal import AviaryGraph
internal import AviaryImage

/// How far tiles are from the whole, measured on a part of an image that can be computed both ways.
///
/// The part is as large as a tile is; of it, tiles of half that side are computed, which differ by more
/// than tiles of the full side do.
struct TileProbe {
  /// The part's columns, as `height`; nil where no part is large enough to be divided.
  private let size: (width: Int, height: Int)?
  /// The largest difference and the mean of all, where white is 255.
  private var largest = 0.0
  private var mean = 0.0

  /// Computes a part from the middle of an image.
  ///
  /// - Parameter inference: the network that is about to be at work on all of the image.
  /// - Throws: `ImageError`, and what computing throws.
  init(
    _ upscaler: Upscaler, _ input: String, _ header: ImageHeader, _ inference: TiledInference
  ) throws {
    let tile = inference.tileSize
    // Sides of the image in its own pixels, which may be enlarged before the network sees them.
    func part(_ side: Int, of length: Int, _ layout: AxisLayout) -> Int {
      min(length, max(side * length / max(layout.padded, 1), 1))
    }
    let width = part(tile.width, of: header.width, inference.columns)
    let height = part(tile.height, of: header.height, inference.rows)
    let crop = try Self.crop(input, header, width: width, height: height)
    func pipeline(_ policy: TilePolicy) throws -> ImagePipeline {
      try ImagePipeline(
        upscaler.model, scale: upscaler.ratio, width: width, height: height,
        source: header.format, policy: policy, upscaler.context)
    }
    let divided = try pipeline(.approximate(side: max(tile.width, tile.height) / 2))
    guard divided.tileCount > 1, let whole = try? pipeline(.exact) else {
      size = nil
      return
    }
    size = (width, height)
    let (found, expected) = (try divided.result(for: crop), try whole.result(for: crop))
    unsafe found.withFloats { a in
      unsafe expected.withFloats { b in
        var sum = 0.0
        for i in 0..<min(a.count, b.count) {
          let difference = Double(abs(unsafe a[i] - b[i])) * 255
          largest = max(largest, difference)
          sum += difference
        }
        mean = sum / Double(max(a.count, 1))
      }
    }
  }

  /// What was found, in words.
  var text: String {
    guard let size else {
      return
        "by how much they differ from the whole could not be measured within the memory allowed"
    }
    return
      "on \(size.width)x\(size.height) pixels of the image, tiles of half that side differ from "
      + "the whole by \(Self.text(largest)) of 255 at most, \(Self.text(mean)) on average"
  }

  private static func text(_ value: Double) -> String {
    value < 0.001 ? "less than 0.001" : "\((value * 1_000).rounded() / 1_000)"
  }

  /// The middle of an image file.
  private static func crop(
    _ input: String, _ header: ImageHeader, width: Int, height: Int
  ) throws -> Image {
    let top = (header.height - height) / 2, left = (header.width - width) / 2
    var reader = try ImageReader(path: input)
    var bands: [Image] = []
    var row = 0
    while row < top + height, let band = try reader.read(rows: min(64, top + height - row)) {
      let first = max(top - row, 0)
      row += band.height
      guard first < band.height else { continue }
      bands.append(
        try band.cropped(x: left, y: first, width: width, height: band.height - first))
    }
    return try .stacked(bands)
  }
}
