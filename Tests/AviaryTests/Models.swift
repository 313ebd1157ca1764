import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

/// Models and images that tests make up.
enum Models {
  /// A network with weights drawn from a seeded generator.
  static func random(_ name: String, _ configuration: JSON, seed: UInt64) throws -> Model {
    let network = try Registry.builtin[name].network(configuration)
    let weights = randomWeights(for: network.graph, seed: seed)
    return Model(
      network,
      weights: NamedTensors(
        network.graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
  }

  /// An image of waves and noise, with values from 0 to 1.
  static func picture(
    height: Int, width: Int, _ color: ColorModel, _ format: PixelFormat? = nil
  ) -> Image {
    let format = format ?? PixelFormat(color)
    guard var image = try? Image(width: width, height: height, format: format) else {
      preconditionFailure("a small image")
    }
    var generator = SplitMix64(seed: 7)
    for channel in 0..<image.channels {
      for row in 0..<height {
        for column in 0..<width {
          let wave = Double((row * (3 + channel) + column * 5) % 37) / 37
          let noise = Double(generator.next() >> 40) / Double(1 << 24)
          image[channel, row, column] = Float(0.7 * wave + 0.3 * noise)
        }
      }
    }
    return image
  }
}

extension Image {
  /// The largest difference between two images of one size.
  func largestDifference(from other: Image) throws -> Float {
    try #require(width == other.width && height == other.height && channels == other.channels)
    return zip(pixels.floats, other.pixels.floats).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
