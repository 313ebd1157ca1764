import AviaryGraph
import AviaryThreads

extension GridSample: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let kernel = GridSampleKernel(
      self, image: lowering.value(fusedOp.inputs[0]).shape,
      grid: lowering.value(fusedOp.inputs[1]).shape)
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      unsafe kernel.run(memory[0], grid: memory[1], to: memory[2], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let (image, grid) = (fusedOp.inputs[0], fusedOp.inputs[1])
    if pass.isNeeded(image) {
      let part = pass.step(
        fusedOp, .gradient(.by(GridSampleImageGradient(sampling: self))), [gradient, grid],
        pass.shape(image))
      pass.add(part, to: image)
    }
    if pass.isNeeded(grid) {
      let part = pass.step(
        fusedOp, .gradient(.by(GridSampleGridGradient(sampling: self))), [gradient, image, grid],
        pass.shape(grid))
      pass.add(part, to: grid)
    }
  }
}

/// By the image that was sampled. Takes the result's gradient and the grid.
struct GridSampleImageGradient: GradientKernel {
  var sampling: GridSample

  var name: String { "gridSample (gradient of image)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let kernel = GridSampleKernel(
      sampling, image: lowering.value(fusedOp.output).shape,
      grid: lowering.value(fusedOp.inputs[1]).shape)
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      unsafe kernel.runImageGradient(memory[0], grid: memory[1], to: memory[2], workers)
    }
  }
}

/// By the grid. Takes the result's gradient, the image and the grid.
struct GridSampleGridGradient: GradientKernel {
  var sampling: GridSample

  var name: String { "gridSample (gradient of grid)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let kernel = GridSampleKernel(
      sampling, image: lowering.value(fusedOp.inputs[1]).shape,
      grid: lowering.value(fusedOp.inputs[2]).shape)
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      unsafe kernel.runGridGradient(
        memory[0], image: memory[1], grid: memory[2], to: memory[3], workers)
    }
  }
}

/// Sampling of row-major images. Places are calculated in double precision.
private struct GridSampleKernel {
  private let sampling: GridSample
  private let images: Int
  private let channels: Int
  private let size: Size
  private let result: Size

  init(_ sampling: GridSample, image: [Int], grid: [Int]) {
    self.sampling = sampling
    (images, channels) = (image[0], image[1])
    (size, result) = (Size(image[2], image[3]), Size(grid[1], grid[2]))
  }

  private var pixels: Int { size.height * size.width }
  private var places: Int { result.height * result.width }

  func run(
    _ image: UnsafePointer<Float>, grid: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(images * places, cost: 8 * channels) { range in
      for place in range {
        let (number, pixel) = place.quotientAndRemainder(dividingBy: places)
        let taps = unsafe self.taps(grid, place)
        for channel in number * channels..<(number + 1) * channels {
          var sum = 0.0
          for i in 0..<4 where taps.pixels[i] >= 0 {
            unsafe sum += taps.weights[i] * Double(image[channel * pixels + taps.pixels[i]])
          }
          unsafe target[channel * places + pixel] = Float(sum)
        }
      }
    }
  }

  /// Every channel is one thread's, and sums are in the order of the places.
  func runImageGradient(
    _ gradient: UnsafePointer<Float>, grid: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(images * channels, cost: 16 * places + pixels) { range in
      for channel in range {
        let plane = unsafe target + channel * pixels
        unsafe plane.update(repeating: 0, count: pixels)
        let first = channel / channels * places
        for pixel in 0..<places {
          let taps = unsafe self.taps(grid, first + pixel)
          let value = unsafe Double(gradient[channel * places + pixel])
          for i in 0..<4 where taps.pixels[i] >= 0 {
            unsafe plane[taps.pixels[i]] += Float(taps.weights[i] * value)
          }
        }
      }
    }
  }

  func runGridGradient(
    _ gradient: UnsafePointer<Float>, image: UnsafePointer<Float>, grid: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    workers.split(images * places, cost: 8 * channels) { range in
      for place in range {
        let (number, pixel) = place.quotientAndRemainder(dividingBy: places)
        let taps = unsafe self.taps(grid, place)
        var (x, y) = (0.0, 0.0)
        for channel in number * channels..<(number + 1) * channels {
          let factor = unsafe Double(gradient[channel * places + pixel])
          for i in 0..<4 where taps.pixels[i] >= 0 {
            let value = unsafe factor * Double(image[channel * pixels + taps.pixels[i]])
            x += value * taps.slopes.x[i]
            y += value * taps.slopes.y[i]
          }
        }
        unsafe (target[2 * place], target[2 * place + 1]) = (Float(x), Float(y))
      }
    }
  }

  /// The pixels that a place takes (-1 for those beyond the image), with what weights, and how those
  /// change with the grid's numbers.
  private struct Taps {
    var pixels = SIMD4(repeating: -1)
    var weights = SIMD4<Double>()
    var slopes = (x: SIMD4<Double>(), y: SIMD4<Double>())
  }

  /// The two pixels that a place takes along an axis.
  private struct AxisTaps {
    var first: Int
    var weights: SIMD2<Double>
    var slopes: SIMD2<Double>
  }

  private func taps(_ grid: UnsafePointer<Float>, _ place: Int) -> Taps {
    var taps = Taps()
    let (row, column) = (place % places).quotientAndRemainder(dividingBy: result.width)
    let x = unsafe self.taps(at: Double(grid[2 * place]), .horizontal, pixel: column)
    let y = unsafe self.taps(at: Double(grid[2 * place + 1]), .vertical, pixel: row)
    for i in 0..<4 {
      let (row, column) = (y.first + i / 2, x.first + i % 2)
      guard (0..<size.height).contains(row), (0..<size.width).contains(column) else { continue }
      // The nearest pixel is one, and its neighbours are not looked at.
      guard sampling.mode == .bilinear || i == 0 else { continue }
      taps.pixels[i] = row * size.width + column
      taps.weights[i] = y.weights[i / 2] * x.weights[i % 2]
      taps.slopes.x[i] = y.weights[i / 2] * x.slopes[i % 2]
      taps.slopes.y[i] = y.slopes[i / 2] * x.weights[i % 2]
    }
    return taps
  }

  private func taps(at coordinate: Double, _ axis: Axis, pixel: Int) -> AxisTaps {
    let (place, slope) = self.place(coordinate, axis, pixel: pixel)
    switch sampling.mode {
    case .bilinear:
      let first = place.rounded(.down)
      let part = place - first
      return AxisTaps(
        first: Int(first), weights: SIMD2(1 - part, part), slopes: SIMD2(-slope, slope))
    case .nearest:
      return AxisTaps(
        first: Int(place.rounded(.toNearestOrEven)), weights: SIMD2(1, 0), slopes: SIMD2())
    }
  }

  /// Where in the image, in pixels, a number of the grid points, and how far that moves with it.
  ///
  /// - Parameter pixel: the number's row or column in the grid.
  private func place(
    _ coordinate: Double, _ axis: Axis, pixel: Int
  ) -> (Double, slope: Double) {
    let (size, last) = (Double(self.size[axis]), Double(self.size[axis] - 1))
    var (place, slope): (Double, Double)
    switch sampling.coordinates {
    case .normalized:
      (place, slope) =
        sampling.alignCorners
        ? ((coordinate + 1) / 2 * last, last / 2)
        : (((coordinate + 1) * size - 1) / 2, size / 2)
    case .offsets:
      place = (Double(pixel) + 0.5) * size / Double(result[axis]) - 0.5 + coordinate
      slope = 1
    }
    switch sampling.paddingMode {
    case .zeros:
      // Beyond reach of every pixel, whatever the number: none of them becomes an integer too large.
      return place > -2 && place < last + 2 ? (place, slope) : (-2, 0)
    case .border: break
    case .reflection:
      let start = sampling.alignCorners ? 0 : -0.5
      let span = sampling.alignCorners ? last : size
      guard span > 0 else { return (0, 0) }
      if place < start { (place, slope) = (2 * start - place, -slope) }
      let (turns, rest) = (
        ((place - start) / span).rounded(.down),
        (place - start).truncatingRemainder(dividingBy: span)
      )
      if turns.truncatingRemainder(dividingBy: 2) == 0 {
        place = rest + start
      } else {
        (place, slope) = (span - rest + start, -slope)
      }
    }
    // A number that is none takes the first pixel, as in PyTorch.
    guard place > 0 else { return (0, 0) }
    return place < last ? (place, slope) : (last, 0)
  }
}
