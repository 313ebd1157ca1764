import AviaryGraph

/// Places in an image from -1 to 1, of distances in pixels: what `ONNXWriter` writes for a sampling by
/// offsets, in several operators.
struct ONNXPlaces {
  /// The distances: N x rows x columns x 1 along one axis, or x 2 along both.
  var distances: Int
  /// What a pixel is for each image: along the width, along the height, or both in that order.
  var pixels: [[Double]]
  /// Along which axis; nil for both.
  var axis: Axis?
}

extension ONNXReader {
  /// Distances times what a pixel is, plus where each pixel lies; nil where the node is another sum.
  mutating func placed() throws(InterchangeError) -> ONNXOperand? {
    guard node.kind == "Add" else { return nil }
    for (input, other) in [(0, 1), (1, 0)] {
      guard case .part(.scaled(let value, let factors)) = try given(input), rank(value) == 4,
        let line = try numbers(other)
      else { continue }
      for axis in [Axis.horizontal, .vertical] where isLine(line, along: axis, of: value) {
        return .part(.places(ONNXPlaces(distances: value, pixels: [factors], axis: axis)))
      }
    }
    return nil
  }

  /// Whether numbers are the centres of the pixels of a value N x rows x columns x 1 along an axis, from
  /// -1 to 1: pixel i of n lies at (2 i + 1) / n - 1.
  private func isLine(_ line: ONNXNumbers, along axis: Axis, of value: Int) -> Bool {
    let dimension = axis == .horizontal ? 2 : 1
    return samples.shapes.indices.allSatisfy { sample in
      let array = line.array(sample)
      let count = shapes[value][sample][dimension]
      guard array.shape.last == 1,
        array.shape == [count] + [Int](repeating: 1, count: 3 - dimension),
        count <= NumberArray.limit
      else { return false }
      return array.elements.enumerated().allSatisfy { i, place in
        abs(place - (Double(2 * i + 1) / Double(count) - 1)) < 1e-5
      }
    }
  }

  /// Places along the width and along the height, side by side; nil where the node joins others.
  mutating func placesOfBothAxes() throws(InterchangeError) -> ONNXOperand? {
    guard node.inputs.count == 2, case .part(.places(let x)) = try given(0),
      case .part(.places(let y)) = try given(1), x.axis == .horizontal, y.axis == .vertical,
      [3, -1].contains(node.integer("axis") ?? 0)
    else { return nil }
    let both = [x.distances, y.distances]
    let distances: Int
    if let whole = try joined(both, 3) {
      distances = whole
    } else {
      distances = try add(.concatenate(Concatenate(dimension: 3)), both)
    }
    return .part(.places(ONNXPlaces(distances: distances, pixels: x.pixels + y.pixels)))
  }

  /// The distances in pixels that an input of the node is the places of; nil where it is anything else,
  /// or the places in an image of another size.
  func distances(_ input: Int, in image: Int) throws(InterchangeError) -> Int? {
    guard case .part(.places(let places)) = try given(input), places.axis == nil else { return nil }
    let isOfImage = samples.shapes.indices.allSatisfy { sample in
      let size = shapes[image][sample]
      return zip(places.pixels, [size[3], size[2]]).allSatisfy { factors, count in
        abs(factors[sample] * Double(count) / 2 - 1) < 1e-5
      }
    }
    return isOfImage ? places.distances : nil
  }
}
