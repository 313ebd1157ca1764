import torch
import torch.nn.functional as F
from torch import nn


class residual_cae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({
            "0": nn.Conv2d(3, 64, 3, padding=1),
            "2": nn.ModuleDict({
                "conv1": nn.Conv2d(64, 64, 3, padding=1),
                "conv2": nn.Conv2d(64, 64, 3, padding=1),
            }),
            "3": nn.Conv2d(64, 128, 3, stride=2, padding=1),
            "5": nn.ModuleDict({
                "conv1": nn.Conv2d(128, 128, 3, padding=1),
                "conv2": nn.Conv2d(128, 128, 3, padding=1),
            }),
        })
        self.decoder = nn.ModuleDict({
            "0": nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1),
            "2": nn.ModuleDict({
                "conv1": nn.Conv2d(64, 64, 3, padding=1),
                "conv2": nn.Conv2d(64, 64, 3, padding=1),
            }),
            "3": nn.ConvTranspose2d(64, 3, 3, padding=1),
        })

    def forward(self, x):
        x = F.relu(self.encoder["0"](x))
        y = self.encoder["2"]["conv2"](F.relu(self.encoder["2"]["conv1"](x)))
        x = F.relu(self.encoder["3"](x + y))
        y = self.encoder["5"]["conv2"](F.relu(self.encoder["5"]["conv1"](x)))
        x = F.relu(self.decoder["0"](x + y))
        y = self.decoder["2"]["conv2"](F.relu(self.decoder["2"]["conv1"](x)))
        return self.decoder["3"](x + y)


def load(path="residual-cae.pt"):
    model = residual_cae()
    model.load_state_dict(torch.load(path))
    return model.eval()
