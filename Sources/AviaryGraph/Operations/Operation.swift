/// What the rest of Aviary has to know about one kind of operation: its JSON, its limits, and what
/// it does to shapes. An operation is one file of this folder, and one line in each of the three
/// lists of `Op.swift`; an expansion has a line in the last of them only.
///
/// Nothing that decides whether a result is right has a default implementation: an operation that
/// does not state its receptive field does not compile.
package protocol Operation: Hashable, Sendable {
  /// The names that the operation has in JSON and messages: several for a family.
  static var names: [String] { get }
  /// The name of this one, among `names`.
  var name: String { get }

  /// Reads the operation of this name from a node's members.
  ///
  /// - Throws: `GraphError` that names the node: an absent attribute, or one of another type.
  init(_ name: String, _ attributes: inout Attributes) throws(GraphError)
  /// The attributes as JSON members. Those that have their default are left out.
  var attributes: [String: JSON] { get }
  /// Checks every attribute against its range, so that the shape functions can calculate without
  /// a thought of overflow or division by zero.
  ///
  /// - Throws: `GraphError.attribute` that names the node.
  func check(_ check: AttributeCheck) throws(GraphError)

  /// The operation as a case of `Op`.
  var op: Op { get }
  /// How many inputs the operation takes.
  var inputCount: ClosedRange<Int> { get }
  /// The shape that the operation gives for inputs of these shapes, `inputCount` of them.
  ///
  /// Attributes have been checked, and dimensions are below 2^31. Callers take `Op.outputShape`,
  /// which also checks the number of elements.
  ///
  /// - Throws: `ShapeProblem` where the operation cannot work on such inputs.
  func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int]
  /// Which input pixels an output pixel depends on along an axis. The tiling and the ratio of
  /// sizes are derived from it.
  func receptiveField(_ axis: Axis) -> ReceptiveField
  /// The dimension of the output whose entry i depends, of an input, on no other entries along a
  /// dimension than entry i; nil where entries are mixed, or may be.
  ///
  /// It is asked about values whose rows and columns lie elsewhere than in an image: pixels with
  /// their channels last, windows.
  ///
  /// - Parameters:
  ///   - dimension: a dimension of the input.
  ///   - input: the position of the input.
  ///   - inputs: the shapes of all inputs, which have passed `outputShape`.
  func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int?
  /// The number of multiplications and additions, counted as one, for inputs of these shapes.
  /// Counted are the operations that publications count: convolutions and matrix products.
  func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double

  /// The parameters, in the order in which a node names them, for inputs that have passed
  /// `outputShape`.
  func parameters(_ inputs: [[Int]]) -> [ParameterSlot]
  /// What the dimensions of the first parameter are called in messages; the last name serves for
  /// all further dimensions.
  var parameterDimensions: [String] { get }

  /// The same operation with padding that depends on the size of the image stated as the padding
  /// for an input of this shape.
  func resolvingPadding(_ input: [Int]) -> Self
  /// The operation that this one is for inputs of these shapes, where it is a simpler one of which
  /// tiles can be computed; else itself, with its padding resolved.
  ///
  /// - Parameter ratios: the inputs' extents over the graph's, as `Graph.ratios`.
  func resolvingSizes(_ inputs: [[Int]], _ ratios: [Ratio?]) -> Op
  /// The positions of inputs whose shape alone matters: their values are not computed for this.
  var inputsOfSizeOnly: Set<Int> { get }
  /// The same operation, written in the one way that operations are compared in: two that compute
  /// the same may differ in attributes that only matter to training, or be written otherwise.
  var normalised: Self { get }
}

extension Operation {
  /// Entries count as mixed, so that forgetting this is never wrong.
  package func outputDimension(of dimension: Int, input: Int, _ inputs: [[Int]]) -> Int? { nil }
  /// No parameters: a kernel that needs one does not find it, which every test of it shows.
  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] { [] }
  package var parameterDimensions: [String] { ["channels"] }
  /// Unresolved padding counts as seeing the whole image, so that forgetting this is never wrong.
  package func resolvingPadding(_ input: [Int]) -> Self { self }
  /// Most are what they are at every size.
  package func resolvingSizes(_ inputs: [[Int]], _ ratios: [Ratio?]) -> Op {
    inputs.first.map { resolvingPadding($0).op } ?? op
  }
  package var inputsOfSizeOnly: Set<Int> { [] }
  /// Operations differ wherever their attributes do.
  package var normalised: Self { self }
}

/// A parameter of an operation, before it has a name of its own.
package struct ParameterSlot: Hashable, Sendable {
  /// The last part of the customary name: `weight`, `bias`, `running_mean`.
  package var suffix: String
  /// The dimensions, in PyTorch's layout.
  package var shape: [Int]
  /// What it is for.
  package var role: ParameterRole = .weight
  /// The number that training begins with everywhere, where it is not drawn by the layer's fan.
  package var start: Double?

  /// The bias of so many channels, where there is one.
  static func bias(_ size: Int, if has: Bool) -> [ParameterSlot] {
    has ? [ParameterSlot(suffix: "bias", shape: [size])] : []
  }
}

// MARK: - Shapes

extension Operation {
  static func expectImage(_ shape: [Int]) throws(ShapeProblem) {
    guard shape.count == 4 else { throw .rank(expected: "an image (NCHW)", found: shape) }
  }

  static func expectRank(_ least: Int, _ shape: [Int]) throws(ShapeProblem) {
    guard shape.count >= least else {
      throw .rank(
        expected: "at least \(least) dimension\(least == 1 ? "" : "s")", found: shape)
    }
  }

  /// The shape that two values have together, as NumPy has it: aligned at their last dimensions, a
  /// dimension of 1 repeats, and so does one that is not there.
  static func broadcast(_ a: [Int], _ b: [Int]) throws(ShapeProblem) -> [Int] {
    let rank = max(a.count, b.count)
    let first = a.aligned(to: rank), second = b.aligned(to: rank)
    guard zip(first, second).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
      throw .mismatch(a, b)
    }
    return zip(first, second).map { $0 == 1 ? $1 : $0 }
  }

  /// The number of elements, as a number that cannot overflow.
  static func elements(_ shape: some Sequence<Int>) -> Double {
    shape.reduce(1) { $0 * Double($1) }
  }
}

extension [Int] {
  /// The shape with dimensions of 1 before it, as many as make it one of this rank.
  package func aligned(to rank: Int) -> [Int] {
    [Int](repeating: 1, count: Swift.max(rank - count, 0)) + self
  }
}
