import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials

@testable import AviaryTraining

/// Images and networks for tests of data.
enum DataFixture {
  /// An image of numbers that have no order.
  static func noise(_ width: Int, _ height: Int, _ color: ColorModel = .rgb, seed: UInt64 = 1)
    throws -> Image
  {
    let pixels = randomTensor([color.channels, height, width], seed: seed)
    return try Image(pixels: pixels, format: PixelFormat(color)).rounded(to: .eight)
  }

  /// An image without hard edges, as photographs are.
  static func waves(_ width: Int, _ height: Int) throws -> Image {
    var image = try Image(width: width, height: height, format: PixelFormat(.rgb))
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<3 {
          image[c, y, x] = Float((x * (c + 2) * 5 + y * (4 - c) * 3 + x * y / 4) % 255) / 255
        }
      }
    }
    return image
  }

  /// A folder's image of this name, in folders of its own where the name says so.
  static func write(_ image: Image, _ name: String, in folder: borrowing TemporaryFolder) throws {
    let path = URL(filePath: folder.file(name))
    try FileManager.default.createDirectory(
      at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    try image.write(to: path.path)
  }

  /// A network that keeps the size, or makes images `scale` times as large.
  static func graph(channels: Int = 3, scale: Int = 1, padding: Padding? = nil) throws -> Graph {
    try Graph(channels: channels) { x in
      let y = x.convolution("a", channels * scale * scale, kernel: 3, padding: padding)
      return [scale == 1 ? y : y.pixelShuffle(scale)]
    }
  }

  /// The patches of such a network.
  static func geometry(
    _ picture: ImageSpec = ImageSpec(.rgb), scale: Int = 1, patch: Int = 8, padding: Padding? = nil
  ) throws -> PatchGeometry {
    let own = picture.enlargeFirst == .bicubic ? 1 : scale
    return try PatchGeometry(
      graph(channels: picture.colour.channels, scale: own, padding: padding), picture: picture,
      scale: scale, patch: patch)
  }

  /// How batches are drawn, where nothing else is stated: plainly.
  static func recipe(size: Int = 4, patch: Int = 8, augmented: Bool = false) -> BatchRecipe {
    var recipe = BatchRecipe()
    (recipe.size, recipe.patch) = (size, patch)
    (recipe.horizontalFlip, recipe.rot90) = (augmented, augmented)
    recipe.channelShuffle = augmented
    return recipe
  }
}

extension Batch {
  /// The values of one sample's channel, row by row.
  static func plane(_ tensor: Tensor, _ sample: Int, _ channel: Int) -> [[Float]] {
    let (channels, height, width) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    let values = tensor.floats
    return (0..<height).map { row in
      let start = ((sample * channels + channel) * height + row) * width
      return Array(values[start..<start + width])
    }
  }
}
