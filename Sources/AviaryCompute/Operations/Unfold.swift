import AviaryGraph
import AviaryThreads

extension Unfold: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let image = lowering.value(fusedOp.inputs[0]).shape
    let amounts = padding.amounts(
      size: Size(image[2], image[3]), kernel: kernel, stride: stride, dilation: dilation)
    let windows = WindowChannels(
      image: image, places: lowering.value(fusedOp.output).shape, kernel: kernel, stride: stride,
      dilation: dilation, before: Size(amounts.top, amounts.left))
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      unsafe windows.unfold(memory[0], to: memory[1], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let image = pass.shape(fusedOp.inputs[0]), places = pass.shape(gradient)
    let amounts = padding.amounts(
      size: Size(image[2], image[3]), kernel: kernel, stride: stride, dilation: dilation)
    // Rows that no window reaches make the fold's padding at the bottom negative.
    func after(_ axis: Axis) -> Int {
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      return (places[axis.dimension] - 1) * stride[axis] + reach - amounts.before(axis)
        - image[axis.dimension]
    }
    let back = Fold(
      kernel: kernel, stride: stride, dilation: dilation,
      padding: PaddingAmounts(
        amounts.top, amounts.left, after(.vertical), after(.horizontal)))
    pass.pass(fusedOp, .other(.fold(back)), [gradient])
  }
}

extension Fold: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let windows = WindowChannels(
      image: lowering.value(fusedOp.output).shape,
      places: lowering.value(fusedOp.inputs[0]).shape, kernel: kernel, stride: stride,
      dilation: dilation, before: Size(padding.top, padding.left))
    lowering.kernel(
      fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      unsafe windows.fold(memory[0], to: memory[1], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let back = Unfold(
      kernel: kernel, stride: stride, dilation: dilation, padding: .explicit(padding))
    pass.pass(fusedOp, .other(.unfold(back)), [gradient])
  }
}

/// The correspondence of an image's pixels with the elements of windows, which are channels of an
/// image of the windows' places. Both lie row-major.
private struct WindowChannels {
  /// Channels of all images together.
  private let planes: Int
  private let image: Size
  private let places: Size
  private let kernel: Size
  private let stride: Size
  private let dilation: Size
  /// How far before the image the first window begins.
  private let before: Size

  init(
    image: [Int], places: [Int], kernel: Size, stride: Size, dilation: Size, before: Size
  ) {
    planes = image[0] * image[1]
    (self.image, self.places) = (Size(image[2], image[3]), Size(places[2], places[3]))
    (self.kernel, self.stride, self.dilation, self.before) = (kernel, stride, dilation, before)
  }

  private var area: Int { kernel.height * kernel.width }

  func unfold(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let count = places.height * places.width
    workers.split(planes * area, cost: count) { range in
      for channel in range {
        let (plane, element) = (channel / area, channel % area)
        let (row, column) = (element / kernel.width, element % kernel.width)
        let (down, right) = (shift(.vertical, row), shift(.horizontal, column))
        let inside = inside(.horizontal, right)
        for y in 0..<places.height {
          let line = unsafe target + channel * count + y * places.width
          let from = y * stride.height + down
          guard (0..<image.height).contains(from), !inside.isEmpty else {
            unsafe line.update(repeating: 0, count: places.width)
            continue
          }
          unsafe line.update(repeating: 0, count: inside.lowerBound)
          let first = (plane * image.height + from) * image.width + right
          for x in inside { unsafe line[x] = source[first + x * stride.width] }
          unsafe (line + inside.upperBound).update(
            repeating: 0, count: places.width - inside.upperBound)
        }
      }
    }
  }

  /// Sums are in the order of the window's elements, so that results do not depend on the number of
  /// threads.
  func fold(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let (count, pixels) = (places.height * places.width, image.height * image.width)
    workers.split(planes, cost: count * area + pixels) { range in
      for plane in range {
        let plain = unsafe target + plane * pixels
        unsafe plain.update(repeating: 0, count: pixels)
        for element in 0..<area {
          let (row, column) = (element / kernel.width, element % kernel.width)
          let (down, right) = (shift(.vertical, row), shift(.horizontal, column))
          let inside = inside(.horizontal, right)
          for y in self.inside(.vertical, down) {
            let line = unsafe source + (plane * area + element) * count + y * places.width
            let first = (y * stride.height + down) * image.width + right
            for x in inside { unsafe plain[first + x * stride.width] += line[x] }
          }
        }
      }
    }
  }

  /// How far beyond the window's place one of its rows or columns lies in the image.
  private func shift(_ axis: Axis, _ element: Int) -> Int {
    element * dilation[axis] - before[axis]
  }

  /// The places at which a row or column of the window lies within the image.
  private func inside(_ axis: Axis, _ shift: Int) -> Range<Int> {
    let first = min(max((-shift).dividedRoundingUp(by: stride[axis]), 0), places[axis])
    let last = (image[axis] - 1 - shift).dividedRoundingDown(by: stride[axis])
    return first..<max(min(last + 1, places[axis]), first)
  }
}
