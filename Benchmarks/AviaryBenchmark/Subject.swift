internal import AviaryCheckpoint
internal import AviaryFormats
internal import Aviary
internal import AviaryGraph
internal import AviaryTensor

/// A network with weights, an input, and what should come out.
struct Subject {
  let work: Work
  let graph: Graph
  let weights: [String: Tensor]
  let input: Tensor
  /// What the network gives in float64, by PyTorch.
  let expected: Tensor

  /// Takes the checkpoint from the folder that `models` has filled, the tensors from what
  /// `peers/prepare.py` has added.
  ///
  /// - Throws: what reading throws; `BenchmarkError.reference`.
  init(_ work: Work, in folder: String) throws {
    let model = try Model(checkpoint: "\(folder)/\(work.network).h5")
    self.work = work
    graph = model.graph
    weights = Dictionary(model.weights.map { ($0.name, $0.tensor) }) { first, _ in first }
    let path = "\(folder)/\(work.network)_\(work.size).npz"
    let tensors = try WeightsFile.read(path).tensors.loaded()
    let shapes = try graph.shapes(for: [work.shape])
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      guard let tensor = tensors[name], tensor.shape == shape else {
        throw BenchmarkError.reference(
          path: path, tensor: name, expected: shape, found: tensors[name]?.shape)
      }
      return tensor
    }
    input = try tensor("input", work.shape)
    expected = try tensor("output", shapes[graph.outputs[0].value])
  }

  /// The largest difference of an output from what is expected, as a part of the largest value of
  /// that.
  func difference(of output: Tensor) -> Double {
    let (found, wanted) = (output.floats, expected.floats)
    let largest = wanted.reduce(0) { max($0, abs($1)) }
    var difference: Float = 0
    for (a, b) in zip(found, wanted) {
      // `max` would lose what is no number.
      guard a.isFinite else { return .infinity }
      difference = max(difference, abs(a - b))
    }
    return Double(difference / largest)
  }
}
