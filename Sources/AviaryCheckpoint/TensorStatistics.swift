public import AviaryTensor

/// What the values of a tensor look like: the first thing to look at when a network gives nonsense.
public struct TensorStatistics: Codable, Hashable, Sendable {
  /// The smallest finite value; 0 where there is none.
  public private(set) var minimum = 0.0
  /// The largest finite value; 0 where there is none.
  public private(set) var maximum = 0.0
  /// The mean of the finite values.
  public private(set) var mean = 0.0
  /// The standard deviation of the finite values (divided by their number).
  public private(set) var deviation = 0.0
  /// The number of values that are not numbers.
  public private(set) var nanCount = 0
  /// The number of infinite values.
  public private(set) var infinityCount = 0
  /// The number of slices along the first dimension that are all zero: dead output channels of a
  /// convolution. 0 for tensors of fewer than two dimensions.
  public private(set) var zeroChannelCount = 0

  /// Whether every value is finite.
  public var isFinite: Bool { nanCount == 0 && infinityCount == 0 }

  /// The statistics of all elements, in double precision.
  public init(of tensor: Tensor) {
    // Shifted by the first finite value, which keeps the sum of squares accurate in one pass.
    var shift: Double?
    var sum = 0.0
    var squares = 0.0
    var finite = 0
    let channels = tensor.shape.count > 1 ? tensor.shape[0] : 0
    let stride = channels > 0 ? tensor.count / channels : 0
    unsafe tensor.converted(to: .float32).withFloats { values in
      var lastNonZeroChannel = -1
      var liveChannels = 0
      for i in values.indices {
        let value = unsafe Double(values[i])
        if value != 0, stride > 0, i / stride != lastNonZeroChannel {
          lastNonZeroChannel = i / stride
          liveChannels += 1
        }
        guard value.isFinite else {
          if value.isNaN { nanCount += 1 } else { infinityCount += 1 }
          continue
        }
        let origin = shift ?? value
        if shift == nil {
          shift = value
          minimum = value
          maximum = value
        }
        finite += 1
        sum += value - origin
        squares += (value - origin) * (value - origin)
        minimum = min(minimum, value)
        maximum = max(maximum, value)
      }
      zeroChannelCount = stride > 0 ? channels - liveChannels : 0
    }
    guard finite > 0 else { return }
    let offset = sum / Double(finite)
    mean = (shift ?? 0) + offset
    deviation = max(squares / Double(finite) - offset * offset, 0).squareRoot()
  }
}
