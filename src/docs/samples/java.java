import java.net.URI;
import java.net.http.*;

class Call {
    public static void main(String[] args) throws Exception {
        var call = {{call}};
        var request = HttpRequest.newBuilder(URI.create({{url}}))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(call)).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body());
    }
}
