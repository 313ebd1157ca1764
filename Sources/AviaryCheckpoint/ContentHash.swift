import AviaryTensor
import Crypto

/// The identity of a set of weights, independent of the file that holds them.
public enum ContentHash {
  /// `sha256:` and the SHA-256 in lowercase hexadecimal over the tensors sorted by the UTF-8 bytes
  /// of their names, each as: the name's byte count, the name, the rank, the dimensions (all counts
  /// as unsigned 64-bit little-endian), and the elements in row-major order as little-endian
  /// float32 (other types converted to the nearest float32).
  ///
  /// - Parameters:
  ///   - weights: tensors under canonical names in PyTorch's layout, or a raw file's own.
  ///   - excluded: names that do not count: bookkeeping such as `num_batches_tracked`.
  public static func of(_ weights: NamedTensors, excluding excluded: Set<String> = []) -> String {
    var hash = SHA256()
    func add(_ number: Int) {
      unsafe withUnsafeBytes(of: UInt64(number).littleEndian) {
        unsafe hash.update(bufferPointer: $0)
      }
    }
    let names = weights.names.filter { !excluded.contains($0) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for name in names {
      guard let tensor = weights[name] else { continue }
      add(name.utf8.count)
      hash.update(data: Array(name.utf8))
      add(tensor.shape.count)
      tensor.shape.forEach(add)
      unsafe tensor.converted(to: .float32).withUnsafeBytes {
        unsafe hash.update(bufferPointer: $0)
      }
    }
    return "sha256:" + hash.finalize().hexadecimal
  }
}
