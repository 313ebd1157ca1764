internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryTensor
internal import Synchronization

/// Looks at tensors as they pass by on their way to a file, so that none is read for it alone.
final class FiniteMonitor: Sendable {
  private let found = Mutex<Set<String>>([])

  /// The names of tensors that passed by with values that are no numbers, or infinite; sorted.
  var notFinite: [String] { found.withLock { $0.sorted() } }

  /// The same tensors, looked at as they are read.
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
      // The sum of zeros is zero unless one of the factors was no number, or infinite: a loop without
      // branches, which the compiler makes wide.
      var sum: Float = 0
      for i in values.indices { unsafe sum += values[i] * 0 }
      return sum == 0
    }
  }
}
