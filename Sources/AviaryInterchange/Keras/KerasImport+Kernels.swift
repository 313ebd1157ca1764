import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// TensorFlow's convolutions with kernels that stand in the configuration: models that a converter
/// wrote have no layers with weights.
extension KerasImport {
  /// A convolution, of each channel for itself or of all.
  mutating func convolution(
    ofConstants json: JSON, _ x: KerasTensor, isDepthwise: Bool, options: [String: JSON],
    _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    var plain = layer
    // The options of TensorFlow's functions, in Keras's names: of four numbers the middle ones count.
    func inner(_ name: String) -> JSON {
      guard let list = options[name]?.array else { return options[name] ?? 1 }
      return .array(list.count == 4 ? Array(list[1...2]) : list)
    }
    let format = options["data_format"]?.string ?? "NHWC"
    plain.config = [
      "strides": inner("strides"), "padding": options["padding"] ?? "VALID",
      "dilation_rate": inner(isDepthwise ? "rate" : "dilations"), "data_format": .string(format),
    ]
    let x = try picture(x, plain)
    let kernel = try kernel(json, layer)
    let (height, width, channels, count) = (
      kernel.shape[0], kernel.shape[1], kernel.shape[2], kernel.shape[3]
    )
    let groups = isDepthwise ? channels : max(x.shape[1] / channels, 1)
    guard x.shape[1] == (isDepthwise ? channels : channels * groups),
      [height, width].allSatisfy({ $0 <= GraphLimits.window }),
      isDepthwise || count % groups == 0
    else {
      throw layer.refusal("a kernel for \(x.shape[1]) channels expected, \(kernel.shape) found")
    }
    let outChannels = isDepthwise ? channels * count : count
    let weight: Tensor
    do throws(TensorError) {
      weight =
        isDepthwise
        ? try kernel.permuted([2, 3, 0, 1]).reshaped(to: [outChannels, 1, height, width])
        : try kernel.permuted([3, 2, 0, 1])
    } catch {
      throw layer.refusal("\(error)")
    }
    let name = try bind(layer, "weight", made: weight)
    return try add(
      .convolution(
        Convolution(
          outChannels: outChannels, kernel: Size(height, width),
          stride: try plain.size(["strides"]),
          dilation: try plain.size(["dilation_rate"]), groups: groups,
          padding: try plain.padding(), bias: false)), [x], name: layer.fullName, of: layer,
      parameters: [name])
  }

  /// Numbers in lists in lists, of four dimensions.
  private func kernel(_ json: JSON, _ layer: KerasLayer) throws(InterchangeError) -> Tensor {
    var shape: [Int] = []
    var first: JSON? = json
    while let list = first?.array {
      shape.append(list.count)
      first = list.first
    }
    var numbers: [Float] = []
    let refusal = layer.refusal("a kernel of four dimensions as a constant expected")
    guard shape.count == 4 else { throw refusal }
    for row in json.array ?? [] {
      for column in row.array ?? [] {
        for channel in column.array ?? [] {
          for number in channel.array ?? [] {
            guard let number = number.double else { throw refusal }
            numbers.append(Float(number))
          }
        }
      }
    }
    // Lists of different lengths do not fill the shape.
    do throws(TensorError) {
      return try Tensor(shape: shape, numbers)
    } catch {
      throw refusal
    }
  }

  /// Rows and columns of zeros around a picture, as TensorFlow states them: two numbers an axis.
  mutating func padded(
    _ x: KerasTensor, _ paddings: JSON?, options: [String: JSON], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let pairs = (paddings?.array ?? []).map { $0.array?.compactMap(\.int) ?? [] }
    let mode = options["mode"]?.string?.uppercased() ?? "CONSTANT"
    let fill = (options["constant_values"]?.double ?? 0)
    guard x.rank == 4, pairs.count == 4, pairs.allSatisfy({ $0.count == 2 }),
      pairs.joined().allSatisfy((0...GraphLimits.window).contains),
      mode == "REFLECT" || mode == "CONSTANT" && fill == 0
    else { throw layer.refusal("rows and columns of zeros, or mirrored, expected") }
    let x = try arranged(
      x, as: KerasTensor.pictureAxes(channelsFirst: isChannelsFirst), layer.fullName)
    var ours = pairs
    for (axis, pair) in zip(x.axes, pairs) { ours[axis] = pair }
    guard ours[0] == [0, 0], ours[1] == [0, 0] else {
      throw layer.refusal("paddings of rows and columns alone expected")
    }
    let amounts = PaddingAmounts(ours[2][0], ours[3][0], ours[2][1], ours[3][1])
    return try add(
      .pad(Pad(amounts, mode == "REFLECT" ? .reflect : .zero)), [x], name: layer.fullName, of: layer
    )
  }
}
