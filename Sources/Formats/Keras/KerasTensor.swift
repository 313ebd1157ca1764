/// A value of the graph under construction, with what Keras calls its axes.
///
/// Our pictures are NCHW and Keras's mostly NHWC: no operation asks which, each asks where an axis of
/// Keras's lies.
struct KerasTensor {
  /// The number of the value in the graph.
  var index: Int
  /// The dimensions in our order, for one picture of the size on which the graph is checked.
  var shape: [Int]
  /// Where each of Keras's axes lies among our dimensions.
  var axes: [Int]
  /// For a row of elements that Keras counts in another order than they lie here: the picture that
  /// it was, without its first dimension.
  var flattened: Flattened?
  /// What is not computed yet: a part of GELU.
  var errorFunction: KerasImport.ErrorFunction?
  /// Whether the size depends on that of the network's input.
  var isSized = true

  /// A picture that was flattened as it lay.
  struct Flattened: Hashable {
    /// Our dimensions.
    var shape: [Int]
    /// Where Keras's axes lie among them.
    var axes: [Int]

    /// For each element as it lies here, its place in Keras's order.
    var kerasPlaces: [Int] {
      // How far apart neighbours along our dimensions lie in Keras's order.
      var steps = shape.map { _ in 0 }
      var step = 1
      for axis in axes.reversed() {
        steps[axis] = step
        step *= shape[axis]
      }
      var places = [0]
      for (size, step) in zip(shape, steps) {
        places = places.flatMap { place in (0..<size).map { place + $0 * step } }
      }
      return places
    }
  }

  /// A value whose axes lie as Keras has them.
  init(index: Int, shape: [Int], axes: [Int]? = nil, isSized: Bool = true) {
    (self.index, self.shape, self.isSized) = (index, shape, isSized)
    self.axes = axes ?? Array(shape.indices)
  }

  /// The dimensions in Keras's order.
  var kerasShape: [Int] { axes.map { shape[$0] } }

  /// The number of dimensions.
  var rank: Int { shape.count }

  /// The axes of pictures: N, H, W, C of channels last, N, C, H, W of channels first.
  static func pictureAxes(channelsFirst: Bool) -> [Int] {
    channelsFirst ? [0, 1, 2, 3] : [0, 2, 3, 1]
  }
}
