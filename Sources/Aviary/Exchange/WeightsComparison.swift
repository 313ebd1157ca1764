public import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
public import AviaryGraph
internal import AviaryTensor

/// Compares two weights files tensor by tensor, across formats, layouts and names.
public struct WeightsComparison: Sendable {
  /// A tensor that is in both files.
  public struct Pair: Codable, Hashable, Sendable {
    /// Its name in the first file; canonical if the architecture was detected.
    public var name: String
    /// Its name in the second.
    public var otherName: String
    /// The dimensions, in PyTorch's layout.
    public var shape: [Int]
    /// The shape in the second file, if it differs; the values are then not compared.
    public var otherShape: [Int]
    /// Whether all elements are equal as float32.
    public var isEqual: Bool
    /// The largest difference of two elements; infinite if one is NaN and the other is not.
    public var largest: Double
    /// The mean difference.
    public var mean: Double
    /// The largest difference over the largest magnitude of either.
    public var relative: Double
  }

  /// One of the two.
  public struct Side: Sendable {
    /// The file.
    public var path: String
    /// Its format, and the detected network.
    public var label: String
    /// The network; nil if none was detected.
    public var network: Network?
    /// The content hash of its tensors.
    public var contentHash: String
    /// Tensors without a match on the other side.
    public var only: [TensorDescription]
  }

  /// The first file.
  public private(set) var first: Side
  /// The second.
  public private(set) var second: Side
  /// The tensors that both have, in the order of the first file.
  public private(set) var pairs: [Pair]

  /// Whether both are the same network with equal weights.
  public var isSame: Bool {
    !pairs.isEmpty && first.only.isEmpty && second.only.isEmpty && pairs.allSatisfy(\.isEqual)
      && isSameNetwork ?? true
  }

  /// Whether both networks compute the same operations; nil if one of them is unknown.
  public var isSameNetwork: Bool? {
    guard let a = first.network, let b = second.network else { return nil }
    return a.graph.isEquivalent(to: b.graph)
  }

  /// Compares two files.
  ///
  /// - Parameter options: what the user states about third-party files.
  /// - Throws: `CheckpointError` for a file that cannot be read.
  public init(
    _ first: String, _ second: String, _ options: ImportOptions = ImportOptions(),
    registry: Registry
  ) throws {
    var a = try Opened(first, options, registry), b = try Opened(second, options, registry)
    let counterparts = try TensorMatching(a.tensors, b.tensors)
    pairs = try counterparts.pairs.map { place, other in
      try Pair(a.tensors, place, b.tensors, other)
    }
    a.side.only = counterparts.onlyFirst.map { a.tensors[$0] }
    b.side.only = counterparts.onlySecond.map { b.tensors[$0] }
    (self.first, self.second) = (a.side, b.side)
  }

  /// A file as a model, or as named tensors if no network was detected.
  private struct Opened {
    var side: Side
    /// Without counters and other non-persistent buffers: they say nothing about a network.
    let tensors: TensorSource

    init(_ path: String, _ options: ImportOptions, _ registry: Registry) throws {
      var options = options
      options.hashesFile = false
      let all: TensorSource
      let label: String
      var network: Network?
      do {
        let model = try StoredModel(opening: path, options, registry: registry)
        all = model.weights
        network = model.network
        let name = model.network.architecture
        label =
          (model.report?.format ?? FileFormat.aviaryCheckpoint.name) + ", "
          + (name.isEmpty ? "a network of its own" : model.network.label)
      } catch let error where error.isAboutTheNetwork {
        let file = try NamelessWeights(path, options)
        all = file.tensors
        label = "\(file.format.name), not recognised"
      }
      tensors = all.selecting(all.indices.filter { !all[$0].isBookkeeping })
      side = Side(
        path: path, label: label, network: network,
        contentHash: try ContentHash.of(tensors), only: [])
    }
  }
}

extension WeightsComparison.Pair {
  /// Compares two tensors.
  fileprivate init(
    _ first: TensorSource, _ place: Int, _ second: TensorSource, _ other: Int
  ) throws(CheckpointError) {
    let (a, b) = (first[place], second[other])
    (name, otherName, shape, otherShape) = (a.name, b.name, a.shape, b.shape)
    guard a.shape == b.shape else {
      (isEqual, largest, mean, relative) = (false, .infinity, .infinity, .infinity)
      return
    }
    let difference = TensorDifference(
      try first.tensor(at: place), try second.tensor(at: other))
    isEqual = difference.isEqual
    (largest, mean, relative) = (difference.largest, difference.mean, difference.relative)
  }
}
