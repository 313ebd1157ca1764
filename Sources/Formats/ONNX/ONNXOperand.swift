/// What a value of an ONNX graph is to us.
enum ONNXOperand {
  /// A value of our graph, by its number.
  case value(Int)
  /// Numbers at hand.
  case numbers(ONNXNumbers)
  /// A constant too large to be looked into, or not yet looked into.
  case tensor(ONNXTensor)
  /// The error function of x / √2, on its way to a GELU of value x; then with 1 added.
  case errorFunction(of: Int, plusOne: Bool)
  /// A picture's dimensions taken apart, for each picture, on the way to a pixel shuffle.
  case split(Int, [[Int]])
  /// A pixel shuffle that only wants its last reshaping, which must give the shapes of this operation.
  case shuffle(Int, PixelMove)

  /// A pixel shuffle or its inverse.
  struct PixelMove {
    var factor: Int
    var isTensorFlow: Bool
    var isInverse: Bool
  }
}
