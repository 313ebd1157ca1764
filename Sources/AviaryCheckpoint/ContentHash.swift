public import AviaryContainers
public import AviaryTensor
import Crypto

/// The identity of a set of weights, independent of the file that holds them:
/// `sha256:` and the SHA-256 in lowercase hexadecimal over the tensors sorted by the UTF-8 bytes
/// of their names, each as: the name's byte count, the name, the rank, the dimensions (all counts
/// as unsigned 64-bit little-endian), and the elements in row-major order as little-endian
/// float32 (other types converted to the nearest float32).
public struct ContentHash {
  private var hash = SHA256()

  /// The hash of no tensors yet.
  public init() {}

  /// Adds a tensor; they must come sorted by the UTF-8 bytes of their names.
  public mutating func add(_ name: String, _ tensor: Tensor) {
    add(name.utf8.count)
    hash.update(data: Array(name.utf8))
    add(tensor.shape.count)
    for dimension in tensor.shape { add(dimension) }
    unsafe tensor.converted(to: .float32).withUnsafeBytes {
      unsafe hash.update(bufferPointer: $0)
    }
  }

  /// `sha256:` and the digest of what was added.
  public var text: String { "sha256:" + hash.finalize().hexadecimal }

  private mutating func add(_ number: Int) {
    unsafe withUnsafeBytes(of: UInt64(number).littleEndian) {
      unsafe hash.update(bufferPointer: $0)
    }
  }
}

extension ContentHash {
  /// The content hash of tensors at hand.
  ///
  /// - Parameters:
  ///   - weights: tensors under canonical names in PyTorch's layout, or a raw file's own.
  ///   - excluded: names that do not count: non-persistent buffer such as `num_batches_tracked`.
  public static func of(_ weights: NamedTensors, excluding excluded: Set<String> = []) -> String {
    var hash = ContentHash()
    for name in sorted(weights.names) where !excluded.contains(name) {
      if let tensor = weights[name] { hash.add(name, tensor) }
    }
    return hash.text
  }

  /// The content hash of tensors that are read one by one; non-persistent buffer does not count.
  ///
  /// - Throws: what is wrong with the file that they are in.
  public static func of(
    _ weights: TensorSource, excluding excluded: Set<String> = []
  ) throws(CheckpointError) -> String {
    var hash = ContentHash()
    for name in sorted(weights.names) where !excluded.contains(name) {
      guard weights[name]?.isBookkeeping == false, let tensor = try weights.tensor(name) else {
        continue
      }
      hash.add(name, tensor)
    }
    return hash.text
  }

  /// Names in the order of hashing.
  package static func sorted(_ names: [String]) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
