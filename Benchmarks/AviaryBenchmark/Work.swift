internal import AviaryGraph

/// One network at one input size: the same list as the peers', so that figures can be compared.
struct Work {
  /// The architecture in the registry.
  let network: String
  /// What differs from its default preset to make it the network that the peers run.
  let configuration: JSON
  /// N, channels, height, width.
  let shape: [Int]

  /// The shape as the peers write it, such as 1x3x256x256.
  var size: String { shape.map(String.init).joined(separator: "x") }

  /// Whether it is a step of a training, and not inference.
  var isTraining = false

  /// What the peers call the work at this size in float32.
  var name: String { "\(isTraining ? "train" : "infer") \(size)" }

  static let all = [
    Work(network: "residual-cae", configuration: [:], shape: [1, 3, 64, 64]),
    Work(network: "residual-cae", configuration: [:], shape: [1, 3, 256, 256]),
    Work(network: "residual-cae", configuration: [:], shape: [1, 3, 512, 512]),
    Work(network: "residual-cae", configuration: [:], shape: [16, 3, 64, 64]),
    // The peers' network is PyTorch's; the default of the architecture crops as Keras does.
    Work(network: "plain-cae", configuration: ["origin": "pytorch"], shape: [16, 1, 128, 128]),
    Work(network: "residual-cae", configuration: [:], shape: [16, 3, 64, 64], isTraining: true),
    Work(
      network: "plain-cae", configuration: ["origin": "pytorch"], shape: [16, 1, 128, 128],
      isTraining: true),
  ]
}
