import AviaryGraph

/// Which values are made where they will be a part of another: the parts of a concatenation, which
/// then takes no work, and what is written over on the way to them.
struct BufferAliases {
  /// A part of the memory of another value.
  struct Slice: Hashable {
    var whole: Int
    /// In bytes.
    var offset: Int
  }

  /// By number of the value.
  private var slices: [Int: Slice] = [:]
  /// The fused op that writes over a value in its place, if one does: who takes the value later than
  /// that cannot find it there.
  private var ends: [Int: Int] = [:]

  /// - Parameter lastUses: the last fused op that takes each value.
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  init(_ ir: IRGraph, lastUses: [Int]) throws(ComputeError) {
    var producer: [Int: Int] = [:]
    for (position, fusedOp) in ir.fusedOps.enumerated() { producer[fusedOp.output] = position }
    func isFree(_ value: Int) -> Bool { slices[value] == nil && producer[value] != nil }
    // From the end, so that a part of a part is known as one when it is met.
    for (position, fusedOp) in ir.fusedOps.enumerated().reversed() {
      if let parts = try ir.parts(of: fusedOp) {
        // A value that is a part twice has one place; for the others it is copied.
        for (value, offset) in parts where isFree(value) {
          slices[value] = Slice(whole: fusedOp.output, offset: offset)
        }
      } else if let slice = slices[fusedOp.output] {
        let isView = try ir.view(fusedOp) == 0
        // What is only seen in another way is written over when that is.
        let end = isView ? ends[fusedOp.output] : position
        let before =
          isView
          ? [fusedOp.inputs[0]]
          : ir.overwritable(fusedOp).filter { value in
            // A convolution that adds what it takes cannot write over it.
            !(fusedOp.kind.isConvolution && fusedOp.inputs.contains(value))
          }
        // What is written over must already lie there.
        guard let value = before.first(where: { lastUses[$0] <= end ?? .max }), isFree(value),
          ir.values[value].count == ir.values[fusedOp.output].count
        else { continue }
        slices[value] = slice
        ends[value] = end
      }
    }
  }

  subscript(_ value: Int) -> Slice? { slices[value] }
}

extension IRGraph {
  /// The values that lie one after another in a concatenation's result, with the bytes before them;
  /// nil where they do not, or the fused op is none.
  ///
  /// - Throws: `ComputeError.library` where oneDNN refuses a shape.
  func parts(of fusedOp: FusedOp) throws(ComputeError) -> [(value: Int, offset: Int)]? {
    let whole = values[fusedOp.output]
    // Channels of one picture lie one after another, or blocks of them do.
    guard case .other(.concatenate) = fusedOp.kind, whole.shape[0] == 1,
      whole.memoryFormat != .nhwc
    else { return nil }
    var parts: [(value: Int, offset: Int)] = []
    var offset = 0
    for value in fusedOp.inputs {
      parts.append((value, offset))
      offset += try descriptor(value).byteCount
    }
    return parts
  }
}
