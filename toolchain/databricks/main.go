// Command pulumi-resource-databricks serves the Terraform provider for Databricks as a Pulumi resource plugin.
//
// It stands in for the released plugin of the same version where Pulumi's downloads are out of reach: the same
// Terraform provider under the same bridge, so pulumi-databricks, the Python package, finds what it expects.
// The module's path lies under the provider's own so that Go lets it import the provider's internal package.
package main

import (
	"github.com/databricks/terraform-provider-databricks/internal/providers/sdkv2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// version is the pulumi-databricks release built on the same Terraform provider; toolchain/build.py has the linker set it.
var version string

func main() {
	info := tfbridge.ProviderInfo{
		P:              shim.NewProvider(sdkv2.DatabricksProvider()),
		Name:           "databricks",
		Version:        version,
		ResourcePrefix: "databricks",
	}
	info.MustComputeTokens(tokens.SingleModule("databricks_", "index", tokens.MakeStandard("databricks")))
	tfbridge.Main("databricks", version, info, []byte("{}"))
}
