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
  ///   - excluded: names that do not count: non-persistent buffers such as `num_batches_tracked`.
  public static func of(_ weights: NamedTensors, excluding excluded: Set<String> = []) -> String {
    var hash = ContentHash()
    for name in sorted(weights.names) where !excluded.contains(name) {
      if let tensor = weights[name] { hash.add(name, tensor) }
    }
    return hash.text
  }

  /// The content hash of tensors that are read one by one; non-persistent buffers do not count.
  ///
  /// - Throws: what is wrong with the file that they are in.
  public static func of(
    _ weights: TensorSource, excluding excluded: Set<String> = []
  ) throws(CheckpointError) -> String {
    var hash = ContentHash()
    for name in sorted(weights.names) where !excluded.contains(name) {
      guard weights[name]?.isNonPersistent == false, let tensor = try weights.tensor(name) else {
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

/// What the values of a tensor look like: the first thing to look at when a network gives nonsense.
public struct TensorStatistics: Codable, Hashable, Sendable {
  /// The smallest finite value; 0 where there is none.
  public private(set) var minimum = 0.0
  /// The largest finite value; 0 where there is none.
  public private(set) var maximum = 0.0
  /// The mean of the finite values.
  public private(set) var mean = 0.0
  /// The standard deviation of the finite values (divided by their number).
  public private(set) var deviation = 0.0
  /// The number of values that are not numbers.
  public private(set) var nanCount = 0
  /// The number of infinite values.
  public private(set) var infinityCount = 0
  /// The number of slices along the first dimension that are all zero: dead output channels of a
  /// convolution. 0 for tensors of fewer than two dimensions.
  public private(set) var zeroChannelCount = 0

  /// Whether every value is finite.
  public var isFinite: Bool { nanCount == 0 && infinityCount == 0 }

  /// The statistics of all elements, in double precision.
  public init(of tensor: Tensor) {
    // Shifted by the first finite value, which keeps the sum of squares accurate in one pass.
    var shift: Double?
    var sum = 0.0
    var squares = 0.0
    var finite = 0
    let channels = tensor.shape.count > 1 ? tensor.shape[0] : 0
    let stride = channels > 0 ? tensor.count / channels : 0
    unsafe tensor.converted(to: .float32).withFloats { values in
      var lastNonZeroChannel = -1
      var liveChannels = 0
      for i in values.indices {
        let value = unsafe Double(values[i])
        if value != 0, stride > 0, i / stride != lastNonZeroChannel {
          lastNonZeroChannel = i / stride
          liveChannels += 1
        }
        guard value.isFinite else {
          if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
          continue
        }
        let origin = shift ?? value
        if shift == nil {
          shift = value
          minimum = value
          maximum = value
        }
        finite += 1
        sum += value - origin
        squares += (value - origin) * (value - origin)
        minimum = min(minimum, value)
        maximum = max(maximum, value)
      }
      zeroChannelCount = stride > 0 ? channels - liveChannels : 0
    }
    guard finite > 0 else { return }
    let offset = sum / Double(finite)
    mean = (shift ?? 0) + offset
    deviation = max(squares / Double(finite) - offset * offset, 0).squareRoot()
  }
}
