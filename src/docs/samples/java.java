import java.net.URI;
import java.net.http.*;
{{basic}}import java.util.Base64;

class Call {
    public static void main(String[] args) throws Exception {
        var call = {{call}};
{{basic}}        var login = Base64.getEncoder().encodeToString(System.getenv("LOGIN").getBytes());
        var request = HttpRequest.newBuilder(URI.create({{url}}))
            .header("Content-Type", "application/json")
{{bearer}}            .header("Authorization", "Bearer " + System.getenv("TOKEN"))
{{basic}}            .header("Authorization", "Basic " + login)
            .POST(HttpRequest.BodyPublishers.ofString(call)).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body());
    }
}
