import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// The order of channels before pixel shuffles. TensorFlow's `depth_to_space` wants another than
/// PyTorch's `PixelShuffle`: permuting the channels of the convolution before it, once, makes one
/// of the other.
struct ShuffleOrder {
  /// A pixel shuffle and the parameters whose first dimension is its channels.
  private struct Shuffle {
    var factor: Int
    var channels: Int
    var parameters: [String]
  }

  private let shuffles: [Shuffle]
  /// Pixel shuffles before which no single convolution is.
  private let others: [String]

  /// The pixel shuffles of a graph that have PyTorch's order.
  init(_ graph: Graph) {
    let shapes = Dictionary(graph.parameters.map { ($0.name, $0.shape) }) { $1 }
    var uses: [Int: Int] = [:]
    var sharing: [String: Int] = [:]
    for node in graph.nodes {
      for input in node.inputs { uses[input, default: 0] += 1 }
      for parameter in node.parameters { sharing[parameter, default: 0] += 1 }
    }
    for output in graph.outputs { uses[output.value, default: 0] += 1 }
    var shuffles: [Shuffle] = []
    var others: [String] = []
    for node in graph.nodes {
      guard case .pixelShuffle(let shuffle) = node.op, shuffle.order == .pytorch else { continue }
      let factor = shuffle.factor
      var value = node.inputs[0]
      var parameters: [String] = []
      var channels: Int?
      walk: while value >= graph.inputs.count, uses[value] == 1 {
        let before = graph.nodes[value - graph.inputs.count]
        parameters += before.parameters
        switch before.op {
        case .activation, .batchNormalization, .prelu(PReLU(perChannel: true)), .dropout:
          value = before.inputs[0]
        case .prelu:
          // One slope for all channels.
          parameters.removeLast(before.parameters.count)
          value = before.inputs[0]
        case .convolution(let convolution) where convolution.groups == 1:
          channels = convolution.outChannels
          break walk
        default: break walk
        }
      }
      let isAlone = parameters.allSatisfy { sharing[$0] == 1 }
      if let channels, isAlone, factor > 0, channels % (factor * factor) == 0 {
        shuffles.append(
          Shuffle(
            factor: factor, channels: channels,
            // Counters have no channels.
            parameters: parameters.filter { shapes[$0]?.first == channels }))
      } else {
        others.append(node.name)
      }
    }
    self.shuffles = shuffles
    self.others = others
  }

  /// Permutes the tensors of a fit from an order to PyTorch's, and says so.
  func apply(
    _ order: ChannelOrder, isStated: Bool, to found: inout StructureMatch
  ) throws(TensorError) {
    guard order == .tensorflow else { return }
    var steps: [String: [TensorStep]] = [:]
    for shuffle in shuffles {
      let area = shuffle.factor * shuffle.factor, colours = shuffle.channels / area
      // With one colour both orders are the same.
      guard colours > 1 else { continue }
      let indices = (0..<shuffle.channels).map { $0 % area * colours + $0 / area }
      for parameter in shuffle.parameters {
        steps[parameter] = [.reordered(dimension: 0, indices: indices)]
      }
      let why = isStated ? "as stated" : "assumed of a file of Keras's"
      found.assumed.append(
        "TensorFlow's pixel shuffle order (\(why)): \(shuffle.channels) channels of "
          + "\(shuffle.parameters.joined(separator: ", ")) permuted")
    }
    found.tensors = try found.tensors.changed { steps[$0.name] ?? [] }
    for name in others {
      found.assumed.append(
        "PyTorch's pixel shuffle order at \(name): no single convolution before it to permute")
    }
  }
}
