public import AviaryTensor

/// The input and target of one training step.
public struct Batch: Sendable {
  /// What the network is given: float32, N x channels x height x width, values as its `ImageSpec`
  /// says.
  public var input: Tensor
  /// The expected output: float32, with the shape of the network's output.
  public var target: Tensor

  /// A batch of pairs.
  public init(input: Tensor, target: Tensor) {
    (self.input, self.target) = (input, target)
  }
}

extension BatchRecipe {
  /// The number of pairs that each process is given at once.
  ///
  /// - Throws: `TrainingError.recipe` for a batch that cannot be divided among the processes.
  package func share(ofProcesses processes: Int) throws(TrainingError) -> Int {
    let parts = processes * accumulation
    guard size % parts == 0 else {
      throw .recipe(
        field: "batch.size",
        expected: "a multiple of \(parts), of \(processes) processes and \(accumulation) parts,",
        found: "\(size)")
    }
    return size / parts
  }
}

extension Batch {
  /// The batch, split into equal parts.
  package func parts(_ count: Int) throws -> [Batch] {
    if count == 1 { return [self] }
    return zip(try input.split(into: count), try target.split(into: count))
      .map { Batch(input: $0, target: $1) }
  }
}

extension Tensor {
  /// Equal parts along the first dimension.
  fileprivate func split(into count: Int) throws -> [Tensor] {
    let shape = [shape[0] / count] + shape.dropFirst()
    return try (0..<count).map { part in
      try unsafe Tensor(shape: shape, elementType: elementType) { target in
        unsafe withUnsafeBytes { source in
          let start = part * target.count
          unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[start..<start + target.count]))
        }
      }
    }
  }
}
