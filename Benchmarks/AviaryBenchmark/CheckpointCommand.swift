internal import AviaryFormats
internal import AviaryCheckpoint
internal import AviaryContainers
internal import Aviary
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport
internal import ArgumentParser

/// Makes a checkpoint of a wanted size, for `Benchmarks/exchange`: `vdsr` with 512 features and as
/// many layers as it takes, so that a tensor has 9.4 MB, about as much as in large published
/// networks.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "Writes a checkpoint of random weights of a wanted size.")

  @Argument(help: "The file to write.")
  var path: String

  @Option(help: "Its size in 10^6 bytes.")
  var megabytes = 100

  private static let features = 512

  func validate() throws {
    guard (1...9_000).contains(megabytes) else {
      throw ValidationError("megabytes: expected 1 to 9000, found \(megabytes)")
    }
  }

  func run() throws {
    let bytesPerLayer = Self.features * Self.features * 9 * 4
    let layers = 2 + (megabytes * 1_000_000 + bytesPerLayer - 1) / bytesPerLayer
    let network = try Registry.builtin["vdsr"].network(
      ["features": .int(Self.features), "layers": .int(layers)])
    let parameters = network.graph.parameters
    let descriptions = parameters.map {
      TensorDescription(name: $0.name, shape: $0.shape, elementType: .float32)
    }
    // One by one: a checkpoint of any size is made in little memory.
    let tensors = TensorSource(descriptions) { (position) throws(CheckpointError) in
      var generator = SplitMix64(seed: UInt64(position))
      let shape = parameters[position].shape
      // Values keep their size from layer to layer (He and others, 2015: the deviation of weights
      // is the root of two over the number of inputs).
      let inputs = Float(shape.dropFirst().reduce(1, *))
      let reach = shape.count == 1 ? 0.01 : (6 / inputs).squareRoot()
      return generator.tensor(shape, in: -reach...reach)
    }
    try CheckpointFile(
      tensors: tensors, architecture: network.architecture,
      configuration: network.configuration.text, graph: network.graph.json.text,
      picture: network.picture.json.text
    ).write(to: path)
    let json: JSON = [
      "work": "checkpoint",
      "bytes": .int(descriptions.reduce(0) { $0 + $1.byteCount }),
      "largest": .int(descriptions.map(\.byteCount).max() ?? 0),
      "tensors": .int(descriptions.count),
    ]
    print(json.text)
  }
}
