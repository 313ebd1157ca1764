import AviaryTensor

/// A parameter that an optimizer updates, with its state.
struct OptimizedParameter: Sendable {
  let name: String
  let shape: [Int]
  /// The moments: none, one or two tensors of the parameter's shape.
  var slots: [Tensor] = []

  init(name: String, shape: [Int], slots count: Int) throws(TrainingError) {
    (self.name, self.shape) = (name, shape)
    for _ in 0..<count {
      do {
        slots.append(try Tensor(zeros: shape))
      } catch {
        throw .training("parameter \(name)", expected: "a shape", found: error.description)
      }
    }
  }

  /// Updates the weight and the moments by a rule.
  mutating func take(_ rule: OptimizerStep, _ weight: inout Tensor, _ gradient: Tensor) {
    // Each tensor must have a single owner while its memory is written.
    var first = slots.isEmpty ? nil : slots.removeFirst()
    var second = slots.isEmpty ? nil : slots.removeFirst()
    unsafe weight.withMutableFloats { weight in
      unsafe gradient.withFloats { gradient in
        guard first != nil else {
          unsafe rule.take(weight, gradient)
          return
        }
        unsafe first?.withMutableFloats { first in
          guard second != nil else {
            unsafe rule.take(weight, gradient, first)
            return
          }
          unsafe second?.withMutableFloats { second in
            unsafe rule.take(weight, gradient, first, second)
          }
        }
      }
    }
    slots = [first, second].compactMap(\.self)
  }
}
