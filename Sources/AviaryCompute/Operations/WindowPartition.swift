import AviaryGraph
import AviaryThreads

extension WindowPartition: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    WindowKernel.formats.map { KernelCandidate($0, .nchw, cost: 0) }
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let windows = WindowKernel(self, lowering.value(fusedOp.inputs[0]))
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe windows.cut(memory[0], to: memory[1], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let kind: OpKind =
      margin == 0
      ? .other(.windowReverse(WindowReverse(window, arrangement)))
      : .gradient(.by(WindowPartitionGradient(partition: self)))
    pass.pass(fusedOp, kind, [gradient])
  }
}

extension WindowReverse: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    WindowKernel.formats.map { KernelCandidate(.nchw, $0, cost: 0) }
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let windows = WindowKernel(
      WindowPartition(window, arrangement), lowering.value(fusedOp.output))
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe windows.join(memory[0], to: memory[1], workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(
      fusedOp, .other(.windowPartition(WindowPartition(window, arrangement))), [gradient])
  }
}

/// By the image that was cut into windows with margins: the sum over all windows that a pixel is in.
/// Takes the result's gradient.
struct WindowPartitionGradient: GradientKernel {
  var partition: WindowPartition

  var name: String { "windowPartition (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    WindowKernel.formats.map { KernelCandidate(.nchw, $0, cost: 0) }
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let windows = WindowKernel(partition, lowering.value(fusedOp.output))
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe windows.join(memory[0], to: memory[1], workers)
    }
  }
}

/// Moves pixels between an image in any memory format and its windows, row-major.
private struct WindowKernel {
  private let partition: WindowPartition
  private let places: ChannelPlaces
  private let shape: [Int]

  /// The memory formats that the image may have, those in which a pixel's channels lie together
  /// first.
  static let formats = [MemoryFormat.nhwc, .nchw, .nChw16c]

  init(_ partition: WindowPartition, _ image: IRGraph.Value) {
    self.partition = partition
    shape = image.shape
    places = ChannelPlaces(image.shape, image.memoryFormat)
  }

  private var channels: Int { shape[1] }
  private var rows: Int { shape[2] / partition.window.height }
  private var columns: Int { shape[3] / partition.window.width }
  private var tokens: Int { partition.reach.area }

  /// Where a row of a window lies in the image: the y of row `row` of the windows in row `window`.
  private func line(_ window: Int, _ row: Int) -> Int {
    switch partition.arrangement {
    case .block: window * partition.window.height + row - partition.margin.height
    case .grid: row * rows + window
    }
  }

  /// The x of column `column` of the windows in column `window`.
  private func column(_ window: Int, _ column: Int) -> Int {
    switch partition.arrangement {
    case .block: window * partition.window.width + column - partition.margin.width
    case .grid: column * columns + window
    }
  }

  /// From the image to its windows; zeros for what lies outside.
  func cut(
    _ image: UnsafePointer<Float>, to windows: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let (height, width) = (shape[2], shape[3])
    workers.split(shape[0] * rows * columns, cost: tokens * channels) { range in
      for window in range {
        let (line, column) = window.quotientAndRemainder(dividingBy: columns)
        let (number, row) = line.quotientAndRemainder(dividingBy: rows)
        let source = unsafe image + number * places.picture
        var target = unsafe windows + window * tokens * channels
        for i in 0..<partition.reach.height {
          let y = self.line(row, i)
          for j in 0..<partition.reach.width {
            let x = self.column(column, j)
            if (0..<height).contains(y), (0..<width).contains(x) {
              let pixel = unsafe source + (y * width + x) * places.step
              for channel in 0..<channels {
                unsafe target[channel] = pixel[places.offsets[channel]]
              }
            } else {
              unsafe target.update(repeating: 0, count: channels)
            }
            unsafe target += channels
          }
        }
      }
    }
  }

  /// From windows to the image: each pixel is the sum over the windows that have it.
  func join(
    _ windows: UnsafePointer<Float>, to image: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let (height, width) = (shape[2], shape[3])
    workers.split(shape[0] * height, cost: width * channels) { range in
      for line in range {
        let (number, y) = line.quotientAndRemainder(dividingBy: height)
        let target = unsafe image + number * places.picture
        let inRows = homes(of: y, .vertical)
        for x in 0..<width {
          let pixel = unsafe target + (y * width + x) * places.step
          var isFirst = true
          for row in inRows {
            for column in homes(of: x, .horizontal) {
              let window = (number * rows + row.window) * columns + column.window
              let token = row.place * partition.reach.width + column.place
              let source = unsafe windows + (window * tokens + token) * channels
              for channel in 0..<channels {
                let before = isFirst ? 0 : unsafe pixel[places.offsets[channel]]
                unsafe pixel[places.offsets[channel]] = before + source[channel]
              }
              isFirst = false
            }
          }
        }
      }
    }
  }

  /// The windows along an axis that have a pixel, and where in them it is.
  private func homes(of pixel: Int, _ axis: Axis) -> [(window: Int, place: Int)] {
    let (side, margin) = (partition.window[axis], partition.margin[axis])
    let count = axis == .vertical ? rows : columns
    switch partition.arrangement {
    case .block:
      let first = max((pixel - margin - side + 1).dividedRoundingUp(by: side), 0)
      let last = min((pixel + margin).dividedRoundingDown(by: side), count - 1)
      return (first...last).map { ($0, pixel - $0 * side + margin) }
    case .grid:
      let (place, window) = pixel.quotientAndRemainder(dividingBy: count)
      return [(window, place)]
    }
  }
}
