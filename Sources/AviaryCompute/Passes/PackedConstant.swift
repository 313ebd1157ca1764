import AviaryGraph

/// Weights as a step wants them.
struct PackedConstant {
  /// What it is. Equal keys and descriptors mean equal contents.
  var key: Key
  /// How it lies in memory.
  var descriptor: MemoryDescriptor
  /// The shape of what `make` gives, row-major.
  var shape: [Int]
  /// The parameter that it is as it stands; nil where there is something to calculate.
  var parameter: String?
  /// Calculates it.
  var make: (PackedWeights) throws(ComputeError) -> [Float]

  /// The parameters' names, and what is done to them.
  struct Key: Hashable {
    var parameters: [String]
    var scaleShift: [ScaleShiftStage] = []
    var packing: Packing
    var groups = 1
    var isTransposed = false
    var quantization: Quantization.Layer?
  }

  /// What is made of the parameters.
  enum Packing: Hashable {
    /// A convolution's kernel of these rows and columns.
    case kernel(rows: [Int], columns: [Int])
    /// What a 3x3 kernel of these rows and columns contributes to the products of Winograd's
    /// algorithm.
    case winograd(WinogradForm, rows: [Int], columns: [Int])
    /// A kernel for convolutions vectorised over pixels: for each row and column of squares, which of its rows and
    /// columns they meet.
    case packed(rows: [[Int]], columns: [[Int]])
    /// One number a filter, in numbers of which 1 is worth so much.
    case bias(step: Float)
    /// The factors of a scale-shift, then its summands.
    case scaleShift
    /// The slopes of a PReLU.
    case slopes
    /// A matrix, as the parameter has it.
    case matrix
  }
}
