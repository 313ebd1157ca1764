import AviaryContainers
import AviaryGraph
import AviaryTensor

/// Numbers that are known while a network is read: constants, and what follows from the image's size.
///
/// What depends on the size is kept as what it is for a few images. Whoever uses it compares it with
/// other sizes of the same images, which needs no algebra and understands every chain of operations
/// that exporters write.
struct ONNXNumbers {
  /// What the elements are, as far as arithmetic depends on it.
  enum Kind {
    case integer
    case boolean
    case float32
    case float64

    /// The kind of ONNX's element type (TensorProto.DataType).
    init(_ elementType: Int) {
      switch elementType {
      case 1, 10, 16: self = .float32
      case 11: self = .float64
      case 9: self = .boolean
      default: self = .integer
      }
    }

    init(_ elementType: ElementType) {
      switch elementType {
      case .bool: self = .boolean
      case .float64: self = .float64
      default: self = elementType.isFloatingPoint ? .float32 : .integer
      }
    }

    /// Whether division drops what is left over.
    var isInteger: Bool { self == .integer || self == .boolean }

    /// A result as this kind holds it: runtimes compute sizes in float32, and what is rounded down
    /// afterwards depends on it.
    func rounded(_ value: Double) -> Double {
      switch self {
      case .float32: Double(Float(value))
      case .float64: value
      case .integer: value.rounded(.towardZero)
      case .boolean: value != 0 ? 1 : 0
      }
    }
  }

  /// The numbers for each image; one array where they are the same for all.
  let arrays: [NumberArray]
  /// What the elements are.
  let kind: Kind

  /// The same numbers for every image.
  init(_ array: NumberArray, _ kind: Kind) { (arrays, self.kind) = ([array], kind) }

  /// The same numbers for every image, in a row unless a shape is stated.
  init(_ values: [Double], shape: [Int]? = nil, isInteger: Bool) {
    self.init(
      NumberArray(values, shape: shape ?? [values.count]), isInteger ? .integer : .float32)
  }

  /// Numbers for each image.
  init(_ arrays: [NumberArray], _ kind: Kind) {
    let isConstant = arrays.dropFirst().allSatisfy { $0 == arrays[0] }
    (self.arrays, self.kind) = (isConstant ? Array(arrays.prefix(1)) : arrays, kind)
  }

  /// The dimensions for the first image; empty for one number.
  var shape: [Int] { arrays[0].shape }

  /// The number of numbers for the first image.
  var count: Int { arrays[0].count }

  /// Whether they are integers or truth values.
  var isInteger: Bool { kind.isInteger }

  /// The array for an image.
  func array(_ sample: Int) -> NumberArray { arrays[arrays.count == 1 ? 0 : sample] }

  /// The numbers for an image; none where there are more than are looked into.
  func row(_ sample: Int) -> [Double] {
    array(sample).count <= NumberArray.limit ? array(sample).elements : []
  }

  /// The numbers, if they are the same for every image.
  var constant: [Double]? {
    arrays.count == 1 && count <= NumberArray.limit ? arrays[0].elements : nil
  }

  /// The numbers as integers, if they are the same for every image.
  var integers: [Int]? { constant.flatMap { $0.wholeNumbers } }

  /// The one number that all elements are for every image; nil where there are several.
  var uniform: Double? {
    guard let first = arrays[0].uniform else { return nil }
    return arrays.allSatisfy { $0.uniform == first } ? first : nil
  }
}

extension ONNXReader {
  /// An input of the node as numbers; nil where it is something else, or left out.
  func numbers(_ input: Int) throws(InterchangeError) -> ONNXNumbers? {
    guard let name = node.input(input) else { return nil }
    switch try given(input) {
    case .numbers(let numbers): return numbers
    case .tensor(let tensor): return try numbers(of: tensor, name)
    default: return nil
    }
  }

  /// A constant's numbers, unless there are too many to be looked into.
  func numbers(
    of tensor: ONNXTensor, _ name: String
  ) throws(InterchangeError) -> ONNXNumbers? {
    guard tensor.count <= NumberArray.limit else { return nil }
    let values: Tensor
    do {
      values = try tensor.load().converted(to: .float64)
    } catch {
      throw .description(part: "the constant \(name)", problem: "\(error)")
    }
    let numbers = unsafe values.withUnsafeBytes { unsafe Array($0.bindMemory(to: Double.self)) }
    return ONNXNumbers(NumberArray(numbers, shape: tensor.shape), .init(tensor.elementType))
  }

  /// Integers that must be there and be the same for every image: an input, or an attribute of older
  /// versions.
  func integers(_ input: Int?, _ attribute: String) throws(InterchangeError) -> [Int]? {
    if let integers = node.integers(attribute) { return integers }
    guard let input, node.input(input) != nil else { return nil }
    guard let integers = try numbers(input)?.integers else {
      throw unsupported("\(attribute) must be constant whole numbers; they depend on values")
    }
    return integers
  }

  /// A constant that the file holds, or that was calculated, as a tensor of float32.
  func tensor(_ numbers: ONNXNumbers) throws(InterchangeError) -> Tensor {
    guard let values = numbers.constant else {
      throw unsupported("a constant is needed where there are numbers that depend on the size")
    }
    do throws(TensorError) {
      return try Tensor(shape: numbers.shape, values.map(Float.init))
    } catch {
      throw unsupported("\(error)")
    }
  }
}

extension Double {
  /// The number that was meant, of which a file has the nearest in single precision: 1e-5, and not
  /// 0.00000999999974738. In single precision they are the same.
  package var meant: Double {
    let single = Float(self)
    guard Double(single) == self, abs(single) < 1e30 else { return self }
    return Double("\(single)") ?? self
  }
}
