import AviaryGraph
import AviaryThreads
import CKernels

extension GroupNormalization: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let pass = GroupNormalizationKernel(self, lowering.value(fusedOp.output).shape)
    let learned = try lowering.learned(self, fusedOp, channels: pass.channels)
    let moments = lowering.temporary(byteCount: pass.rows.byteCount)
    let (scale, center) = (scale, center)
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output), moments] + learned
    ) { memory, workers in
      unsafe pass.run(
        memory[0], to: memory[1], moments: memory.doubles(2), weight: scale ? memory[3] : nil,
        bias: center ? memory[scale ? 4 : 3] : nil, workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.withParameters(
      fusedOp, .by(GroupNormalizationGradient(normalization: self)), [gradient, fusedOp.inputs[0]])
  }
}

/// By what group normalisation took and, beside, by its weight and bias, as far as it has them.
/// Takes the result's gradient and what it took; the statistics are calculated once more.
struct GroupNormalizationGradient: GradientKernel {
  var normalization: GroupNormalization

  var name: String { "groupNormalization (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let shape = lowering.value(fusedOp.output).shape
    let pass = GroupNormalizationKernel(normalization, shape)
    let (scale, center) = (normalization.scale, normalization.center)
    let weight =
      scale ? [try lowering.parameter(fusedOp.parameters[0], [pass.channels])] : []
    // For every channel of every image: the sums of the gradient, and of it times the normalised
    // input.
    let sums = lowering.temporary(
      byteCount: 2 * shape[0] * pass.channels * MemoryLayout<Double>.stride)
    lowering.kernel(
      fusedOp, name,
      [.value(fusedOp.inputs[0]), .value(fusedOp.inputs[1]), .value(fusedOp.output), sums] + weight
    ) { memory, workers in
      unsafe pass.runBackward(
        memory[0], memory[1], to: memory[2], sums: UnsafeMutableRawPointer(memory[3]),
        weight: scale ? memory[4] : nil, workers)
    }
    // The sums over all images.
    for (position, output) in zip((scale ? [1] : []) + (center ? [0] : []), fusedOp.extraOutputs) {
      lowering.kernel(fusedOp, "sums of images", [sums, .value(output)]) { memory, _ in
        unsafe pass.sum(UnsafeRawPointer(memory[0]), position, to: memory[1])
      }
    }
  }
}

extension Lowering {
  fileprivate mutating func learned(
    _ normalization: GroupNormalization, _ fusedOp: FusedOp, channels: Int
  ) throws(ComputeError) -> [Operand] {
    var operands: [Operand] = []
    for name in fusedOp.parameters { operands.append(try parameter(name, [channels])) }
    return operands
  }
}

/// Group normalisation of row-major values. Sums are in double precision and in one order, so that
/// results do not depend on the number of threads.
private struct GroupNormalizationKernel {
  let channels: Int
  private let images: Int
  private let groups: Int
  private let pixels: Int
  private let epsilon: Double

  init(_ normalization: GroupNormalization, _ shape: [Int]) {
    (images, channels) = (shape[0], shape[1])
    (groups, epsilon) = (normalization.groups, normalization.epsilon)
    pixels = shape.dropFirst(2).reduce(1, *)
  }

  private var channelsOfGroup: Int { channels / groups }
  /// The elements of one group of one image, which lie together.
  private var width: Int { channelsOfGroup * pixels }

  /// The groups of all images, which lie one behind the other.
  var rows: LongRows { LongRows(count: images * groups, width: width) }

  /// - Parameter moments: room for those of `rows`.
  func run(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>,
    moments: UnsafeMutablePointer<Double>, weight: UnsafePointer<Float>?,
    bias: UnsafePointer<Float>?, _ workers: ThreadPool
  ) {
    let rows = rows
    unsafe rows.measure(source, to: moments, workers)
    let how = aviary_normalization(
      spread: AVIARY_DEVIATION, centers: 1, epsilon: epsilon, width: width, step: 1)
    workers.split(images * channels, cost: pixels) { range in
      for channel in range {
        let (mean, squares) = unsafe rows.moments(ofRow: channel / channelsOfGroup, moments)
        let number = channel % channels
        let scale = unsafe weight.map { unsafe Double($0[number]) } ?? 1
        let shift = unsafe bias.map { unsafe Double($0[number]) } ?? 0
        unsafe aviary_normalize_run(
          source + channel * pixels, target + channel * pixels, pixels, mean,
          how.factor(mean, squares) * scale, shift, nil, nil)
      }
    }
  }

  func runBackward(
    _ gradient: UnsafePointer<Float>, _ source: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, sums: UnsafeMutableRawPointer,
    weight: UnsafePointer<Float>?, _ workers: ThreadPool
  ) {
    workers.split(images * groups, cost: 2 * width) { range in
      for group in range {
        let (mean, factor) = unsafe statistics(source + group * width)
        // With g the gradient by the normalised value n: dx = factor · (g - mean(g) - n mean(g n)).
        var (whole, product) = (0.0, 0.0)
        for channel in channels(of: group) {
          let place = channel.place * pixels
          var (sum, weighted) = (SIMD8<Double>(), SIMD8<Double>())
          var i = 0
          while i + 8 <= pixels {
            let values = unsafe Self.lanes(gradient + place + i)
            sum += values
            weighted += unsafe values * (Self.lanes(source + place + i) - mean)
            i += 8
          }
          var (total, totalWeighted) = (sum.sum(), weighted.sum())
          while i < pixels {
            unsafe total += Double(gradient[place + i])
            unsafe totalWeighted +=
              Double(gradient[place + i]) * (Double(source[place + i]) - mean)
            i += 1
          }
          totalWeighted *= factor
          let at = channel.place * 2 * MemoryLayout<Double>.stride
          unsafe sums.storeBytes(of: total, toByteOffset: at, as: Double.self)
          unsafe sums.storeBytes(
            of: totalWeighted, toByteOffset: at + MemoryLayout<Double>.stride, as: Double.self)
          let scale = unsafe weight.map { unsafe Double($0[channel.number]) } ?? 1
          whole += scale * total
          product += scale * totalWeighted
        }
        let (first, second) = (whole / Double(width), product / Double(width) * factor)
        for channel in channels(of: group) {
          let place = channel.place * pixels
          let scale = unsafe weight.map { unsafe Double($0[channel.number]) } ?? 1
          for i in place..<place + pixels {
            let centred = unsafe Double(source[i]) - mean
            unsafe target[i] = Float(
              factor * (scale * Double(gradient[i]) - first - centred * second))
          }
        }
      }
    }
  }

  /// The sum of one of the two sums over all images, channel by channel.
  func sum(
    _ sums: UnsafeRawPointer, _ position: Int, to target: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      let total = (0..<images).reduce(0.0) { total, image in
        let at = ((image * channels + channel) * 2 + position) * MemoryLayout<Double>.stride
        return unsafe total + sums.load(fromByteOffset: at, as: Double.self)
      }
      unsafe target[channel] = Float(total)
    }
  }

  /// A group's channels: where each lies among those of all images, and its number in the image.
  private func channels(of group: Int) -> [(place: Int, number: Int)] {
    let first = group * channelsOfGroup
    return (first..<first + channelsOfGroup).map { ($0, $0 % channels) }
  }

  /// The mean of a group, and one over its standard deviation.
  private func statistics(_ values: UnsafePointer<Float>) -> (mean: Double, factor: Double) {
    func total(_ part: (SIMD8<Double>) -> SIMD8<Double>) -> Double {
      var lanes = SIMD8<Double>()
      var i = 0
      while i + 8 <= width {
        lanes += unsafe part(Self.lanes(values + i))
        i += 8
      }
      var rest = SIMD8<Double>()
      let left = width - i
      for j in 0..<left { unsafe rest[j] = part(SIMD8(repeating: Double(values[i + j])))[0] }
      return lanes.sum() + rest.sum()
    }
    let mean = total { $0 } / Double(width)
    let variance = total { ($0 - mean) * ($0 - mean) } / Double(width)
    return (mean, 1 / (variance + epsilon).squareRoot())
  }

  private static func lanes(_ place: UnsafePointer<Float>) -> SIMD8<Double> {
    unsafe SIMD8<Double>(UnsafeRawPointer(place).loadUnaligned(as: SIMD8<Float>.self))
  }
}
