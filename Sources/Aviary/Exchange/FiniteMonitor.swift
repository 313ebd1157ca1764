internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryTensor
internal import Synchronization

/// Checks tensors on their way to a file, so that none is read for this alone.
final class FiniteMonitor: Sendable {
  private let found = Mutex<Set<String>>([])

  /// The names of the checked tensors with NaN or infinite values, sorted.
  var notFinite: [String] { found.withLock { $0.sorted() } }

  /// The same tensors, checked as they are read.
  func watching(_ source: TensorSource) -> TensorSource {
    TensorSource(source.descriptions) { (position) throws(CheckpointError) in
      let tensor = try source.tensor(at: position)
      if !tensor.isFinite { self.found.withLock { _ = $0.insert(source[position].name) } }
      return tensor
    }
  }
}

extension Tensor {
  /// Whether every value is finite.
  fileprivate var isFinite: Bool {
    guard elementType.isFloatingPoint else { return true }
    return unsafe converted(to: .float32).withFloats { values in
      // The sum of zeros is zero unless a factor was NaN or infinite. The loop has no branches, so
      // the compiler vectorises it.
      var sum: Float = 0
      for i in values.indices { unsafe sum += values[i] * 0 }
      return sum == 0
    }
  }
}
