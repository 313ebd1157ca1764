import CDNNL

/// What a result is multiplied with before anything else is done to it: one number, or one for each
/// channel. oneDNN 2 takes them with a primitive's attributes, oneDNN 3 as one more argument of
/// each run.
struct Scales: Equatable {
  var values: [Float]
  /// The operand that oneDNN 3 has them belong to.
  var operand: Argument
  /// A bit for each dimension of that operand along which they differ.
  var mask: Int32

  /// One number for everything that is copied.
  init(reorder scale: Float) { (values, operand, mask) = ([scale], .source, 0) }

  /// A number for each output channel of a convolution.
  ///
  /// - Parameter isGrouped: whether the weights have a dimension for groups before the others.
  init(channels values: [Float], isGrouped: Bool) {
    (self.values, operand, mask) = (values, .weights, isGrouped ? 0b11 : 0b1)
  }

  /// Whether a convolution's bias is added to the sums of products before these are scaled; else
  /// after that.
  static var followBias: Bool { cdnnl_bias_before_scales() != 0 }
}
