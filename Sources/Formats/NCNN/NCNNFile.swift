import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor

/// An ncnn network: a text of layers, and beside it the file of their weights.
enum NCNNFile {
  /// Describes the network and its tensors, named `<layer>.weight` and so on: ncnn keeps no names of
  /// parameters. Layouts are PyTorch's.
  ///
  /// - Parameter given: the `.param` file, or the file of the same name that ends in `.bin` and has the
  ///   weights.
  static func read(_ given: String) throws(CheckpointError) -> WeightsFile {
    let path = parametersPath(beside: given) ?? given
    let network = try NCNNParameters.read(path)
    var wanted: [(name: String, weight: NCNNWeight)] = []
    for layer in network.layers {
      for weight in try NCNNWeight.of(layer, path: path) {
        wanted.append(("\(layer.name).\(weight.suffix)", weight))
      }
    }
    guard !wanted.isEmpty else {
      return weights(path, network, TensorSource(NamedTensors()))
    }
    var binary = try NCNNBinary(weightsPath(of: path))
    for (name, weight) in wanted { try binary.append(weight, name: name) }
    try binary.finish()
    let complete = binary
    let stored = TensorSource(
      complete.entries.map {
        TensorDescription(name: $0.name, shape: $0.shape, elementType: $0.elementType)
      }
    ) { (position) throws(CheckpointError) in try complete.tensor(complete.entries[position]) }
    let steps = Dictionary(wanted.map { ($0.name, $0.weight.steps) }) { first, _ in first }
    do {
      return weights(path, network, try stored.changed { steps[$0.name] ?? [] })
    } catch {
      throw .damaged(path: path, part: "the kernels", reason: error.description)
    }
  }

  private static func weights(
    _ path: String, _ network: NCNNNetwork, _ tensors: TensorSource
  ) -> WeightsFile {
    WeightsFile(
      path: path, format: .ncnnParameters, tensors: tensors, origin: Origin(.ncnn),
      network: .ncnn(network))
  }

  /// The text that belongs to a file of weights, which says by itself neither what it is nor what is in
  /// it; nil where there is none.
  static func parametersPath(beside path: String) -> String? {
    guard path.hasSuffix(".bin") else { return nil }
    let text = String(path.dropLast("bin".count)) + "param"
    guard let file = try? InputFile(weights: text),
      let head = try? file.read(at: 0, count: 7, part: "the beginning")
    else { return nil }
    return head.elementsEqual("7767517".utf8) ? text : nil
  }

  /// `x.bin` for `x.param`, and for `x.ncnn.param` likewise.
  private static func weightsPath(of path: String) -> String {
    path.hasSuffix(".param") ? path.dropLast("param".count) + "bin" : path + ".bin"
  }
}
