import CDNNL

/// The order in which a value's elements lie in memory while a plan runs.
package enum MemoryFormat: String, CaseIterable, Hashable, Sendable {
  /// Row-major in the order of the shape: NCHW for images. What goes in and comes out.
  case nchw
  /// NHWC: the channels of a pixel side by side. What oneDNN's direct convolutions like best, for
  /// any number of channels.
  case nhwc
  /// nChw16c: channels in blocks of 16, the block innermost. What Winograd convolutions need.
  /// Only for a multiple of 16 channels, so that no block has padding that must be kept zero.
  case nChw16c

  /// How many channels a block has.
  static let block = 16
}

extension MemoryFormat {
  /// Whether a value of this shape can lie so.
  func fits(_ shape: [Int]) -> Bool {
    switch self {
    case .nchw: true
    case .nhwc: shape.count == 4
    case .nChw16c:
      shape.count == 4 && shape[1] % MemoryFormat.block == 0
        && EngineHandle.blockSize == MemoryFormat.block
    }
  }

  /// Whether the two memory formats put this shape's elements in the same places, so that nothing
  /// has to be copied.
  func coincides(with other: MemoryFormat, for shape: [Int]) -> Bool {
    if self == other { return true }
    guard shape.count == 4 else { return false }
    // One pixel: channels lie side by side in every memory format.
    if shape[2] * shape[3] == 1 { return true }
    let pair: Set<MemoryFormat> = [self, other]
    if pair == [.nchw, .nhwc] { return shape[1] == 1 }
    return pair == [.nhwc, .nChw16c] && shape[1] == MemoryFormat.block
  }
}

/// A value's shape seen as `planes` images of `rows` x `columns` pixels of `depth` numbers that lie
/// side by side: the form in which work on rows and columns looks the same in every memory format.
struct Grid: Hashable {
  var planes: Int
  var rows: Int
  var columns: Int
  var depth: Int

  init(_ shape: [Int], _ memoryFormat: MemoryFormat) {
    (rows, columns) = (shape[2], shape[3])
    depth =
      switch memoryFormat {
      case .nchw: 1
      case .nhwc: shape[1]
      case .nChw16c: MemoryFormat.block
      }
    planes = shape[0] * shape[1] / depth
  }

  /// The same for numbers that are only moved: two of 2 bytes are moved as one float.
  init(_ shape: [Int], _ format: TensorFormat) {
    self.init(shape, format.memoryFormat)
    depth = depth * format.dataType.size / DataType.float32.size
  }

  /// The number of elements of a row.
  var rowCount: Int { columns * depth }
  /// The number of elements.
  var count: Int { planes * rows * columns * depth }
}

/// Where the channels of one image lie: channel c of pixel p at `offsets[c] + p · step`.
struct ChannelPlaces {
  var offsets: [Int]
  /// From pixel to pixel.
  var step: Int
  /// From image to image.
  var picture: Int

  init(_ shape: [Int], _ memoryFormat: MemoryFormat) {
    let (channels, pixels) = (shape[1], shape[2] * shape[3])
    picture = channels * pixels
    switch memoryFormat {
    case .nchw:
      step = 1
      offsets = (0..<channels).map { $0 * pixels }
    case .nhwc:
      step = channels
      offsets = Array(0..<channels)
    case .nChw16c:
      step = MemoryFormat.block
      offsets = (0..<channels).map {
        $0 / MemoryFormat.block * MemoryFormat.block * pixels + $0 % MemoryFormat.block
      }
    }
  }
}

/// How a value lies in memory, and in which data type.
struct TensorFormat: Hashable {
  var memoryFormat: MemoryFormat
  var dataType = DataType.float32
}

/// The data types of values while a plan runs. What goes in and comes out is float32.
enum DataType: Hashable {
  case float32
  case bfloat16
  /// Signed integers, -128 to 127, with their quantization scale.
  case int8(scale: Float)
  /// Unsigned integers, 0 to 255, with their quantization scale.
  case uint8(scale: Float)

  /// The bytes that one takes.
  var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    case .int8, .uint8: 1
    }
  }

  /// The quantization scale: what 1 is worth.
  var scale: Float {
    switch self {
    case .float32, .bfloat16: 1
    case .int8(let scale), .uint8(let scale): scale
    }
  }

  /// The name, whatever the scale.
  var name: String { DataType.names[number] }
  /// The place of the name among all.
  var number: Int {
    switch self {
    case .float32: 0
    case .bfloat16: 1
    case .int8: 2
    case .uint8: 3
    }
  }

  static let names = ["float32", "bfloat16", "int8", "uint8"]

  /// Whether they are integers.
  var isInteger: Bool { size == 1 }

  /// oneDNN's name.
  var type: dnnl_data_type_t {
    switch self {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    case .int8: dnnl_s8
    case .uint8: dnnl_u8
    }
  }
}

/// The data type in which a network is calculated. Sums are float32 in any case.
public enum Precision: String, CaseIterable, Codable, Hashable, Sendable {
  /// IEEE single precision: 24 bits of mantissa.
  case float32
  /// The upper half of float32: 8 bits of mantissa. Convolutions multiply such numbers where that
  /// is faster, about twice as fast as direct convolutions in float32; in inference what lies
  /// between them is kept so, too, where both sides want that.
  case bfloat16
}

extension Engine {
  /// Whether the processor multiplies bfloat16 by itself (AVX-512 BF16). Where it does not, oneDNN
  /// would imitate it, more slowly than float32.
  public static var hasBfloat16: Bool {
    let wanted = dnnl_cpu_isa_avx512_core_bf16.rawValue
    return dnnl_get_effective_cpu_isa().rawValue & wanted == wanted
  }

  /// Whether the processor sums products of 8-bit integers in 32 bits (VNNI). Where it does
  /// not, pairs of them are summed in 16 bits first.
  static var sumsProductsWhole: Bool {
    let found = dnnl_get_effective_cpu_isa().rawValue
    return [dnnl_cpu_isa_avx512_core_vnni.rawValue, dnnl_cpu_isa_avx2_vnni.rawValue].contains {
      found & $0 == $0
    }
  }
}
