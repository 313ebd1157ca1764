internal import Aviary
internal import AviaryCheckpoint
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport

/// A network with weights and an input, and what PyTorch makes of them where that is known.
struct Subject {
  let work: Work
  let graph: Graph
  let weights: [String: Tensor]
  let input: Tensor
  /// PyTorch's output; nil for random weights.
  let expected: Tensor?

  /// Takes weights, input and output from the files that `Benchmarks/reference.py` leaves, through
  /// the library's own import.
  ///
  /// - Throws: what reading and importing throw; `BenchmarkError.reference`.
  init(_ work: Work, references folder: String) throws {
    let model = try StoredModel.imported(
      from: "\(folder)/\(work.network).pt",
      ImportOptions(architecture: work.network, configuration: work.configuration),
      registry: .builtin
    ).loaded()
    self.work = work
    graph = model.graph
    weights = Dictionary(model.weights.map { ($0.name, $0.tensor) }) { first, _ in first }

    let path = "\(folder)/\(work.network)_\(work.size).pt"
    let tensors = try WeightsFile.read(path).tensors.loaded()
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
      guard let tensor = tensors[name], tensor.shape == shape else {
        throw BenchmarkError.reference(
          path: path, tensor: name, expected: shape, found: tensors[name]?.shape)
      }
      return tensor
    }
    input = try tensor("input", work.shape)
    // Both networks give pictures of the size that they take.
    expected = try tensor("output", work.shape)
  }

  /// Makes random weights and a random input, the same every time.
  ///
  /// - Throws: `RegistryError`, `GraphError`.
  init(random work: Work) throws {
    self.work = work
    graph = try Registry.builtin[work.network].network(work.configuration).graph
    weights = randomWeights(for: graph, seed: 1)
    input = randomTensor(work.shape, seed: 2)
    expected = nil
  }

  /// The largest difference of an output from PyTorch's, as a part of the largest value of that; nil
  /// where PyTorch's is not known.
  func difference(of output: Tensor) -> Double? {
    guard let expected else { return nil }
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
